import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TicketClaims, TicketSigner } from './index.js';

const secret = 'a secret of more than sixteen bytes';
const signer = new TicketSigner([secret]);
const claims: Omit<TicketClaims, 'id'> = {
  uid: 'alice',
  sid: 's1',
  node: 'edge-1',
  epoch: 7,
  expiresAt: 1_000,
};

describe('a ticket', () => {
  it('gives back what was signed, at the edge it names, before it expires', () => {
    const verdict = signer.check(signer.issue({ ...claims, from: 'edge-2', move: 'm1' }), 'edge-1', 999);
    expect(verdict).toMatchObject({ ok: true, claims: { ...claims, from: 'edge-2', move: 'm1' } });
  });

  it('is refused when expired, for another edge, or signed with another secret', () => {
    const ticket = signer.issue(claims);
    expect(signer.check(ticket, 'edge-1', 1_000)).toEqual({ ok: false, problem: 'expired' });
    expect(signer.check(ticket, 'edge-2', 0)).toEqual({ ok: false, problem: 'wrong-node' });
    const other = new TicketSigner(['another secret of enough bytes']);
    expect(other.check(ticket, 'edge-1', 0)).toEqual({ ok: false, problem: 'forged' });
  });

  it('is accepted under the previous secret while secrets are changed', () => {
    const next = new TicketSigner(['the next secret, long enough', secret]);
    expect(next.check(signer.issue(claims), 'edge-1', 0).ok).toBe(true);
  });

  it('is refused after any change of a character', () => {
    const ticket = signer.issue(claims);
    fc.assert(
      fc.property(fc.nat(ticket.length - 2), fc.constantFrom('A', 'b', '9', '.', '~'), (at, c) => {
        const changed = ticket.slice(0, at) + c + ticket.slice(at + 1);
        expect(signer.check(changed, 'edge-1', 0).ok).toBe(changed === ticket);
      }),
    );
  });

  it('is refused, never fatal, for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => !signer.check(text, 'edge-1', 0).ok));
  });

  it('has an identity of its own each time', () => {
    expect(signer.issue(claims)).not.toBe(signer.issue(claims));
  });

  it('cannot be signed with a short secret', () => {
    expect(() => new TicketSigner(['short'])).toThrow(RangeError);
  });
});
