import type { CommandOf } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { type Candidate, pick } from './pick.js';

interface Named extends Candidate {
  key: string;
}
const session = (key: string, load: Partial<Candidate['load']> = {}): Named => ({
  key,
  claims: { uid: 'u', sid: key },
  load: { activeAtMs: 0, eventsPerSecond: 0, bytesPerSecond: 0, ...load },
});
const command = (over: Partial<CommandOf<'reconnect'>>): CommandOf<'reconnect'> => ({
  command: 'reconnect',
  move: 'm',
  to: { node: 'b', url: 'ws://b' },
  ...over,
});
const keys = (sessions: Named[]) => sessions.map((s) => s.key);

describe('pick', () => {
  it('takes the idle first', () => {
    const movable = [3, 1, 4, 2].map((n) => session(`s${n}`, { activeAtMs: n }));
    expect(keys(pick(command({ count: 2 }), movable))).toEqual(['s1', 's2']);
  });

  it('takes all when it counts as many or more, or counts none', () => {
    const movable = [session('a'), session('b')];
    for (const count of [2, 3]) expect(pick(command({ count }), movable)).toHaveLength(2);
    expect(pick(command({}), movable)).toHaveLength(2);
    expect(pick(command({ count: 5 }), [])).toEqual([]);
  });

  it('takes the busiest that fit the load, then smaller ones, and never more than the load', () => {
    const movable = [5, 50, 30, 20, 9].map((n) => session(`e${n}`, { eventsPerSecond: n }));
    const picked = pick(command({ by: 'events', load: 66 }), movable);
    expect(keys(picked)).toEqual(['e50', 'e9', 'e5']);
  });

  it('counts bytes when asked to', () => {
    const movable = [
      session('chatty', { eventsPerSecond: 100, bytesPerSecond: 10 }),
      session('heavy', { eventsPerSecond: 1, bytesPerSecond: 1_000 }),
    ];
    expect(keys(pick(command({ by: 'bytes', load: 1_005 }), movable))).toEqual(['heavy']);
    expect(keys(pick(command({ by: 'events', load: 100 }), movable))).toEqual(['chatty']);
  });

  it('leaves out sessions that cost nothing, and stops at the count', () => {
    const movable = [0, 3, 2, 1].map((n) => session(`e${n}`, { eventsPerSecond: n }));
    expect(keys(pick(command({ by: 'events', load: 100 }), movable))).toEqual(['e3', 'e2', 'e1']);
    expect(keys(pick(command({ by: 'events', load: 100, count: 2 }), movable))).toEqual(['e3', 'e2']);
  });
});
