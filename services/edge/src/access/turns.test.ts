import { describe, expect, it } from 'vitest';
import { Turns } from './turns.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('let so many in over all users; the rest wait, a user with few not behind all of one with many', async () => {
    const turns = new Turns(4);
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const take = (uid: string) =>
      void turns.take(uid, () => {
        begun.push(uid);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    for (let n = 0; n < 20; n += 1) take('eve');
    take('alice');
    take('bob');
    await tick();
    expect(begun).toEqual(['eve', 'eve', 'eve', 'eve']);
    for (let n = 0; n < 3; n += 1) ends[n]?.();
    await tick();
    expect(begun.slice(4)).toEqual(['eve', 'alice', 'bob']);
    for (let n = 3; n < 22; n += 1) {
      ends[n]?.();
      await tick();
    }
    expect(begun).toHaveLength(22);
  });

  it('go on after work that fails', async () => {
    const turns = new Turns(1);
    const failed = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('b', async () => 'done');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('done');
  });
});
