import type { PassHold } from '@evenkeel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Grants, noGrants } from './grants.js';
import {
  type Authority,
  afterTakeover,
  closedAuthority,
  newerPass,
  openAuthority,
  Passes,
  passHash,
} from './pass.js';

const secret = 'a secret of more than sixteen bytes';
const passes = new Passes([secret]);
const grants: Grants = { subscribe: ['room.42.#'], publish: ['room.42.*'] };
const issue = (rev: number, over: object = {}) =>
  passes.issue({ uid: 'alice', grants, exp: 9_000, rev, ...over });

describe('a pass', () => {
  it('gives back what was signed', () => {
    const { pass, hold } = issue(5);
    expect(hold).toEqual({ hash: passHash(pass), exp: 9_000, rev: 5 });
    expect(passes.check(pass, 'alice')).toEqual({ hold, grants, byDefault: 'claim' });
    const open = passes.issue({ uid: 'alice', exp: 9_000, rev: 5 });
    expect(passes.check(open.pass, 'alice')).toMatchObject({ grants: undefined, byDefault: 'claim' });
  });

  it('that is not presented takes nothing away where it would narrow nothing, and everything else', () => {
    const open = passes.issue({ uid: 'alice', exp: 9_000, rev: 5 });
    expect(passes.authority('alice', undefined, open.hold)).toEqual({
      hold: open.hold,
      grants: undefined,
      byDefault: 'claim',
    });
    expect(passes.authority('alice', undefined, issue(5).hold).grants).toEqual(noGrants);
  });

  it('is none for another user, changed in one character, signed with another secret, or of another purpose', () => {
    const { pass } = issue(5);
    expect(passes.check(pass, 'bob')).toBeUndefined();
    expect(new Passes(['another secret of enough bytes']).check(pass, 'alice')).toBeUndefined();
    for (let i = 0; i < pass.length; i += 1) {
      const other = pass[i] === 'A' ? 'B' : 'A';
      expect(passes.check(pass.slice(0, i) + other + pass.slice(i + 1), 'alice')).toBeUndefined();
    }
    for (const text of ['', '.', `${pass}=`, `${pass}.`, ` ${pass}`, pass.slice(0, -1), 'x'.repeat(20_000)])
      expect(passes.check(text, 'alice')).toBeUndefined();
  });

  it('counts under the previous secret while secrets are changed', () => {
    const next = new Passes(['the next secret, long enough', secret]);
    expect(next.check(issue(5).pass, 'alice')).toBeDefined();
    expect(passes.check(next.issue({ uid: 'alice', exp: 1, rev: 1 }).pass, 'alice')).toBeUndefined();
  });

  it('longer than edges read is not issued', () => {
    const long = Array.from({ length: 64 }, (_, i) => `${'x'.repeat(190)}.${i}`);
    expect(() => issue(5, { grants: { subscribe: long } })).toThrow('more than 16384 characters');
    const enough = Array.from({ length: 64 }, (_, i) => `${'x'.repeat(180)}.${i}`);
    expect(issue(5, { grants: { subscribe: enough } }).pass.length).toBeLessThanOrEqual(16_384);
  });
});

describe('what counts for a session', () => {
  const { pass, hold } = issue(5);

  it('is the pass of its ticket, by the hash alone', () => {
    expect(passes.authority('alice', pass, hold)).toEqual({ hold, grants, byDefault: 'claim' });
    const byItsClock = { ...hold, exp: 12_000 };
    expect(passes.authority('alice', pass, byItsClock)).toEqual({
      hold: byItsClock,
      grants,
      byDefault: 'claim',
    });
    // An edge that has other secrets by now takes the word of the ticket, which it has checked.
    expect(new Passes(['another secret of enough bytes']).authority('alice', pass, hold)).toMatchObject({
      grants,
    });
  });

  it('is nothing but its own events where the ticket holds a pass and the client presents none, or none that counts', () => {
    const none = { hold, grants: noGrants, byDefault: 'claim' };
    expect(passes.authority('alice', undefined, hold)).toEqual(none);
    for (const presented of ['', 'nonsense', issue(4).pass, issue(6, { uid: 'bob' }).pass, `${pass}=`])
      expect(passes.authority('alice', presented, hold)).toEqual(none);
  });

  it('is a newer pass of the same user where the client presents one', () => {
    const newer = issue(6, { grants: { subscribe: ['room.43'] } });
    expect(passes.authority('alice', newer.pass, hold)).toMatchObject({
      hold: newer.hold,
      grants: { subscribe: ['room.43'] },
    });
  });

  it('is everything where the ticket holds no pass, unless one is presented', () => {
    expect(passes.authority('alice', undefined, undefined)).toEqual(openAuthority);
    expect(passes.authority('alice', 'nonsense', undefined)).toEqual(openAuthority);
    expect(passes.authority('alice', pass, undefined)).toMatchObject({ hold, grants });
  });
});

describe('of two passes', () => {
  const hold = fc.record({
    hash: fc.constantFrom('a', 'b', 'c').map((letter) => letter.repeat(22)),
    exp: fc.integer({ min: 1, max: 9 }),
    rev: fc.integer({ min: 0, max: 3 }),
  });

  it('the newer counts, the same one in whichever order and wherever they meet', () => {
    fc.assert(
      fc.property(hold, hold, hold, (a, b, c) => {
        expect(newerPass(a, b)?.hash).toBe(newerPass(b, a)?.hash);
        expect(newerPass(newerPass(a, b), c)?.hash).toBe(newerPass(a, newerPass(b, c))?.hash);
        expect(newerPass(a, b)?.rev).toBe(Math.max(a.rev, b.rev));
        expect(newerPass(a, undefined)).toBe(a);
      }),
    );
  });

  it('no history of moves, refreshes, revocations and returns leaves an older one in force than was before', () => {
    type Step =
      | { do: 'refresh' | 'revoke' | 'place' }
      | { do: 'move' | 'resume'; presents: number; ticket: number };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ do: fc.constantFrom<'refresh' | 'revoke' | 'place'>('refresh', 'revoke', 'place') }),
      fc.record({
        do: fc.constantFrom<'move' | 'resume'>('move', 'resume'),
        presents: fc.nat(20),
        ticket: fc.nat(20),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let rev = 1;
        const first = issue(rev);
        // Everything that the client has ever been given: it presents what it likes.
        const kept = [{ ...first, grants }];
        const tickets: PassHold[] = [first.hold];
        let session: Authority = passes.authority('alice', first.pass, first.hold);
        for (const one of steps) {
          const before = session.hold;
          if (one.do === 'move' || one.do === 'resume') {
            const presented = kept[one.presents % kept.length]?.pass;
            // A move's ticket is made of what counts now; one of a gateway may have been kept since long ago.
            const ticket = one.do === 'move' ? session.hold : tickets[one.ticket % tickets.length];
            session = afterTakeover(passes.authority('alice', presented, ticket), session.hold);
          } else {
            rev += 1;
            const given = one.do === 'revoke' ? { subscribe: [] } : { subscribe: [`room.${rev}`] };
            const next = issue(rev, { grants: given });
            kept.push({ ...next, grants: given });
            if (one.do === 'place') tickets.push(next.hold);
            // Answered by a gateway; the session has it at once.
            else session = passes.check(next.pass, 'alice') ?? session;
          }
          expect(newerPass(before, session.hold)?.hash).toBe(session.hold?.hash);
          const inForce = kept.find(({ hold }) => hold.hash === session.hold?.hash);
          expect([inForce?.grants, noGrants]).toContainEqual(session.grants);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a takeover from where nothing newer counted changes nothing', () => {
    const { hold } = issue(5);
    const authority = passes.authority('alice', issue(5).pass, hold);
    expect(afterTakeover(authority, undefined)).toBe(authority);
    expect(afterTakeover(authority, issue(4).hold)).toBe(authority);
    expect(afterTakeover(authority, issue(6).hold)).toEqual(closedAuthority(issue(6).hold));
  });
});
