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
  boot: 'b1',
};
const { boot: _, ...older } = claims;
const edge = { name: 'edge-1', boot: 'b1' };

describe('a ticket', () => {
  it('gives back what was signed, at the edge it names, before it expires', () => {
    const verdict = signer.check(signer.issue({ ...claims, from: 'edge-2', move: 'm1' }), edge, 999);
    expect(verdict).toMatchObject({ ok: true, claims: { ...claims, from: 'edge-2', move: 'm1' } });
  });

  it('carries the pass that counts for the session; one whose pass cannot be read is refused, not taken for one without', () => {
    const pass = { hash: 'h'.repeat(22), exp: 2_000, rev: 7 };
    expect(signer.check(signer.issue({ ...claims, pass }), edge, 0)).toMatchObject({
      ok: true,
      claims: { pass },
    });
    const odd = { ...claims, pass: { hash: 42, exp: 2_000 } } as unknown as typeof claims;
    expect(signer.check(signer.issue(odd), edge, 0)).toEqual({ ok: false, problem: 'malformed' });
  });

  it('is refused when expired, for another edge, or signed with another secret', () => {
    const ticket = signer.issue(claims);
    expect(signer.check(ticket, edge, 1_000)).toEqual({ ok: false, problem: 'expired' });
    const elsewhere = signer.check(ticket, { ...edge, name: 'edge-2' }, 0);
    expect(elsewhere).toMatchObject({ ok: false, problem: 'wrong-node', claims });
    const other = new TicketSigner(['another secret of enough bytes']);
    expect(other.check(ticket, edge, 0)).toEqual({ ok: false, problem: 'forged' });
  });

  it('is never good for a socket when it is a probe, wherever it is shown; one that is forged or expired is no probe', () => {
    const probe = signer.issue({ ...claims, isProbe: true });
    for (const name of ['edge-1', 'edge-2'])
      expect(signer.check(probe, { ...edge, name }, 0)).toEqual({ ok: false, problem: 'probe' });
    expect(signer.check(probe, edge, 1_000)).toEqual({ ok: false, problem: 'expired' });
    const other = new TicketSigner(['another secret of enough bytes']);
    expect(other.check(probe, edge, 0)).toEqual({ ok: false, problem: 'forged' });
  });

  it('is refused while it has more than ten minutes left: it would have to be remembered as long', () => {
    const lastingTo = (expiresAt: number) => signer.check(signer.issue({ ...claims, expiresAt }), edge, 0);
    expect(lastingTo(600_000).ok).toBe(true);
    for (const expiresAt of [600_001, 1e308])
      expect(lastingTo(expiresAt)).toEqual({ ok: false, problem: 'malformed' });
  });

  it('is accepted under the previous secret while secrets are changed', () => {
    const next = new TicketSigner(['the next secret, long enough', secret]);
    expect(next.check(signer.issue(claims), edge, 0).ok).toBe(true);
  });

  it('begins with the name of its edge, for fronts to route by', () => {
    expect(signer.issue(claims)).toMatch(/^edge-1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
  });

  it('is refused by another process of its edge, which does not know what was used', () => {
    const restarted = { ...edge, boot: 'b2' };
    expect(signer.check(signer.issue(claims), restarted, 0)).toEqual({ ok: false, problem: 'stale' });
  });

  it('has two parts where no process is named, and is good for every process of its edge', () => {
    const ticket = signer.issue(older);
    expect(ticket.split('.')).toHaveLength(2);
    for (const boot of ['b1', 'b2'])
      expect(signer.check(ticket, { ...edge, boot }, 0)).toMatchObject({ ok: true, claims: older });
    expect(signer.check(ticket, { ...edge, name: 'edge-2' }, 0)).toMatchObject({
      ok: false,
      problem: 'wrong-node',
      claims: older,
    });
  });

  it('of one form is none of the other: the name cannot be taken off, put on or changed', () => {
    const [node, body, signature] = signer.issue(claims).split('.');
    const [olderBody, olderSignature] = signer.issue(older).split('.');
    for (const ticket of [
      `${body}.${signature}`,
      `edge-2.${body}.${signature}`,
      `${node}.${olderBody}.${olderSignature}`,
      `.${body}.${signature}`,
      `${node}.${node}.${body}.${signature}`,
    ])
      expect(signer.check(ticket, edge, 0), ticket).toEqual({ ok: false, problem: 'forged' });
  });

  it.each([
    ['three parts', claims],
    ['two parts', older],
  ])('of %s is refused after any change of a character', (_form, given) => {
    const ticket = signer.issue(given);
    fc.assert(
      fc.property(fc.nat(ticket.length - 2), fc.constantFrom('A', 'b', '9', '.', '~'), (at, c) => {
        const changed = ticket.slice(0, at) + c + ticket.slice(at + 1);
        expect(signer.check(changed, edge, 0).ok).toBe(changed === ticket);
      }),
    );
  });

  it('is refused, never fatal, for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => !signer.check(text, edge, 0).ok));
  });

  it('has an identity of its own each time', () => {
    expect(signer.issue(claims)).not.toBe(signer.issue(claims));
  });

  it('cannot be signed with a short secret', () => {
    expect(() => new TicketSigner(['short'])).toThrow(RangeError);
  });
});
