import { describe, expect, it } from 'vitest';
import { GivenUp } from './given-up.js';

const owner = (n: number) => ({ uid: 'alice', sid: `s${n}` });

describe('an event that a client has closed for', () => {
  it('is known for a while, of each session its own', () => {
    let nowMs = 0;
    const given = new GivenUp(() => nowMs);
    given.closed(owner(1), 1009, 'big');
    given.closed(owner(2), 1001, 'big');
    given.closed(owner(3), 1009, undefined);
    expect([given.of(owner(1)), given.of(owner(2))]).toEqual(['big', undefined]);
    given.closed(owner(1), 1009, 'bigger');
    nowMs += 599_999;
    expect(given.of(owner(1))).toBe('bigger');
    nowMs += 1;
    expect(given.of(owner(1))).toBeUndefined();
  });

  it('is forgotten, the oldest first, when there are many', () => {
    const given = new GivenUp(() => 0);
    for (let n = 0; n <= 1_000; n += 1) given.closed(owner(n), 1009, `e${n}`);
    expect([given.of(owner(0)), given.of(owner(1)), given.of(owner(1_000))]).toEqual([
      undefined,
      'e1',
      'e1000',
    ]);
  });
});
