import { describe, expect, it } from 'vitest';
import { Answers, type Done } from './answers.js';

const rules = { maxKeys: 3, maxBytes: 100_000, keepMs: 1_000 };
const never = (): Promise<Done> => {
  throw new Error('it was done again');
};
const done = { text: 'done', isLasting: true };

describe('a key', () => {
  it('has the work done once, also for those who ask while it is being done', async () => {
    const answers = new Answers(rules);
    const first = answers.once('a', 'f', 0, async () => done);
    const repeat = answers.once('a', 'f', 0, never);
    expect([first.is, repeat.is]).toEqual(['first', 'repeat']);
    if (repeat.is === 'repeat') expect(await repeat.done).toBe(done);
  });

  it('that was used for another request is a conflict', () => {
    const answers = new Answers(rules);
    answers.once('a', 'f', 0, async () => done);
    expect(answers.once('a', 'g', 0, never)).toEqual({ is: 'conflict' });
  });

  it('of what has failed is free for another try', async () => {
    const answers = new Answers(rules);
    const first = answers.once('a', 'f', 0, async () => {
      throw new Error('no');
    });
    if (first.is === 'first') await expect(first.done).rejects.toThrow('no');
    expect(answers.once('a', 'f', 0, async () => done).is).toBe('first');
  });

  it('of what is to be tried again is free for another try, and meanwhile those who ask get the same', async () => {
    const answers = new Answers(rules);
    const partial = { text: 'half of it', isLasting: false };
    const first = answers.once('a', 'f', 0, async () => partial);
    const meanwhile = answers.once('a', 'f', 0, never);
    for (const once of [first, meanwhile]) if (once.is !== 'conflict') expect(await once.done).toBe(partial);
    expect(answers.once('a', 'f', 0, async () => done).is).toBe('first');
  });
});

describe('memory', () => {
  it('forgets a key when its time is over', () => {
    const answers = new Answers(rules);
    answers.once('a', 'f', 0, async () => done);
    expect(answers.once('a', 'f', 999, never).is).toBe('repeat');
    expect(answers.once('a', 'f', 1_000, async () => done).is).toBe('first');
  });

  it('has at most so many keys, and forgets the oldest', () => {
    const answers = new Answers(rules);
    for (const key of ['a', 'b', 'c', 'd']) answers.once(key, 'f', 0, async () => done);
    expect(answers.size).toBe(3);
    expect(answers.once('d', 'f', 0, never).is).toBe('repeat');
    expect(answers.once('a', 'f', 0, async () => done).is).toBe('first');
  });

  it('has at most so many bytes, whatever the answers', async () => {
    const answers = new Answers({ ...rules, maxKeys: 1_000, maxBytes: 10_000 });
    for (let n = 0; n < 50; n += 1) {
      const once = answers.once(`key-${n}`, 'f', 0, async () => ({ ...done, text: 'x'.repeat(1_000) }));
      if (once.is === 'first') await once.done;
    }
    expect(answers.size).toBeLessThanOrEqual(4);
    expect(answers.once('key-49', 'f', 0, never).is).toBe('repeat');
  });
});
