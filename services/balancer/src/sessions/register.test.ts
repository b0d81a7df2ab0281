import type { SessionsReport } from '@evenkeel/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { SessionRegister } from './register.js';

let alive: Set<string>;
let register: SessionRegister;
let seqs: Map<string, number>;

beforeEach(() => {
  alive = new Set(['a', 'b', 'c']);
  seqs = new Map();
  register = new SessionRegister({ isAlive: ({ node }) => alive.has(node), maxSessions: 1_200 });
});

/** The next report of this node. */
function report(node: string, over: Partial<SessionsReport> = {}): SessionsReport {
  const seq = (seqs.get(node) ?? 0) + 1;
  seqs.set(node, over.seq ?? seq);
  return { v: 1, node, boot: `boot-${node}`, seq, ...over };
}
const take = (node: string, over: Partial<SessionsReport> = {}, nowMs = 0): boolean =>
  register.take(report(node, over), nowMs);
const all = { begins: true, ends: true } as const;
const orphans = (nowMs: number) =>
  register.orphans(nowMs).map(({ node, silentMs, sessions }) => ({ node, silentMs, sessions }));

describe('sessions of an edge that is gone', () => {
  it('are known: those with a connection, and what is left of those without one', () => {
    take('a', { ...all, held: [['u.s1', 1]], away: [['u.s2', 2, 50_000]] });
    expect(orphans(20_000)).toEqual([]);
    alive.delete('a');
    expect(orphans(20_000)).toEqual([
      {
        node: 'a',
        silentMs: 15_000,
        sessions: [
          ['u.s1', 1, null],
          ['u.s2', 2, 30_000],
        ],
      },
    ]);
  });

  it('are offered 500 at a time, again after ten seconds and ever less often, and at once where nobody took them', () => {
    const held = (from: number): [string, number][] =>
      Array.from({ length: 400 }, (_, n) => [`u.s${from + n}`, 1]);
    take('a', { begins: true, held: held(0) });
    take('a', { ends: true, held: held(400) });
    alive.delete('a');
    const offered = register.orphans(20_000);
    expect(offered.map(({ sessions }) => sessions.length)).toEqual([500, 300]);
    expect(orphans(29_999)).toEqual([]);
    expect(orphans(30_000)).toHaveLength(2);
    expect(orphans(49_999)).toEqual([]);
    for (const some of offered) register.returned(some);
    expect(orphans(50_000)).toHaveLength(2);
  });

  it('are not those that have moved, come back or ended elsewhere meanwhile', () => {
    const held: [string, number][] = ['u.moved', 'u.back', 'u.ended'].map((key) => [key, 1]);
    take('a', { ...all, held });
    take('b', { ...all, held: [['u.moved', 2]] });
    take('a', { gone: [['u.moved', 1]] });
    take('c', { ...all, away: [['u.back', 3, 1_000]], gone: [['u.ended', 1]] });
    alive.delete('a');
    expect(orphans(20_000)).toEqual([]);
    expect(register.size).toBe(2);
  });

  it('are those of an earlier process of the same name, also', () => {
    register = new SessionRegister({ isAlive: ({ boot }) => boot === 'boot-2' });
    take('a', { ...all, held: [['u.s', 1]] });
    register.take({ v: 1, node: 'a', boot: 'boot-2', seq: 1, ...all }, 20_000);
    expect(orphans(20_000)).toMatchObject([{ node: 'a', sessions: [['u.s', 1, null]] }]);
  });

  it('belong to whoever has adopted them from then on', () => {
    take('a', { ...all, held: [['u.s', 1]] });
    alive.delete('a');
    take('b', { ...all, away: [['u.s', 1, 5_000]] }, 20_000);
    expect(orphans(30_000)).toEqual([]);
    expect(register.takeForgotten()).toEqual([]);
  });

  it('are not said to be orphans by a balancer that has only just heard of the edge', () => {
    alive.clear();
    take('a', { ...all, held: [['u.s', 1]] }, 1_000);
    expect(orphans(6_000)).toEqual([]);
  });
});

describe('an edge that keeps a session for its end', () => {
  it('is told to forget it once another has a newer connection of it, whichever is heard of first', () => {
    take('a', { ...all, away: [['u.s', 1, 9_000]] });
    take('b', { ...all, held: [['u.s', 2]] });
    expect(register.takeForgotten()).toEqual([{ node: 'a', sessions: [['u.s', 2]] }]);
    take('c', { ...all, away: [['u.s', 1, 9_000]] });
    expect(register.takeForgotten()).toEqual([{ node: 'c', sessions: [['u.s', 2]] }]);
    expect(register.takeForgotten()).toEqual([]);
  });

  it('is told to forget what it adopted from an edge that was only cut off', () => {
    take('a', { ...all, held: [['u.s', 1]] });
    alive.delete('a');
    take('b', { ...all, away: [['u.s', 1, 5_000]] });
    alive.add('a');
    take('a', { ...all, held: [['u.s', 1]] });
    expect(register.takeForgotten()).toEqual([{ node: 'b', sessions: [['u.s', 1]] }]);
  });
});

describe('a balancer', () => {
  it('asks for all that an edge has when it has missed a report, or begins in the middle', () => {
    expect(take('a', { seq: 7 })).toBe(true);
    expect(take('a', {}, 5_000)).toBe(false);
    expect(take('a', {}, 10_000)).toBe(true);
    expect(take('a', { begins: true, held: [['u.s1', 1]] }, 11_000)).toBe(false);
    expect(take('a', { ends: true, held: [['u.s2', 1]] }, 11_200)).toBe(false);
    expect(take('a', {}, 60_000)).toBe(false);
    expect(take('a', { seq: 99 }, 70_000)).toBe(true);
  });

  it('forgets what the list of an edge does not name any more', () => {
    take('a', {
      ...all,
      held: [
        ['u.s1', 1],
        ['u.s2', 1],
      ],
    });
    take('a', { begins: true, held: [['u.s1', 1]] });
    expect(register.size).toBe(2);
    take('a', { ends: true, held: [['u.s3', 1]] });
    alive.delete('a');
    expect(orphans(20_000)[0]?.sessions.map(([key]) => key)).toEqual(['u.s1', 'u.s3']);
  });

  it('asks anew after it may have missed reports', () => {
    take('a', all);
    register.doubt();
    expect(take('a', {}, 20_000)).toBe(true);
  });

  it('knows as many sessions as it may, and counts the others', () => {
    for (let n = 0; n < 3; n += 1) {
      const held: [string, number][] = Array.from({ length: 500 }, (_, i) => [`u.s${n}-${i}`, 1]);
      take('a', { begins: true, held });
    }
    expect([register.size, register.overflowed]).toEqual([1_200, 300]);
  });
});

describe('a user whose edge does not answer', () => {
  const boot = (node: string) => ({ node, boot: `boot-${node}` });

  it('is known to be there, until another edge has adopted the session or it has ended', () => {
    take('a', {
      ...all,
      held: [
        ['u.s1', 1],
        ['u.s2', 1],
        ['v.s3', 1],
      ],
    });
    take('b', { ...all, held: [['u.s4', 1]] });
    expect(register.isKnown(boot('a'))).toBe(true);
    expect(register.isKnown({ ...boot('a'), boot: 'later' })).toBe(false);
    expect(register.elsewhere('u', [boot('b')])).toEqual(['u.s1', 'u.s2']);
    expect(register.elsewhere('u', [boot('a'), boot('b')])).toEqual([]);
    alive.delete('a');
    take('b', { away: [['u.s1', 1, 50_000]] });
    expect(register.elsewhere('u', [boot('b')])).toEqual(['u.s2']);
    take('b', { gone: [['u.s2', 1]] });
    expect(register.elsewhere('u', [boot('b')])).toEqual([]);
    expect(register.elsewhere('nobody', [])).toEqual([]);
  });
});
