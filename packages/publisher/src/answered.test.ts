import { describe, expect, it } from 'vitest';
import { Answered } from './answered.js';

const outcome = (n: number) => ({ body: Buffer.from(String(n)) });

describe('repeats', () => {
  it('get the outcome of the first, also while it is being worked out', async () => {
    const answered = new Answered(10);
    let runs = 0;
    const handle = async () => outcome(++runs);
    const [first, repeat] = await Promise.all([answered.once('a', handle), answered.once('a', handle)]);
    expect(runs).toBe(1);
    expect(repeat).toBe(first);
  });

  it('are known among the last so many only', async () => {
    const answered = new Answered(2);
    let runs = 0;
    for (const id of ['a', 'b', 'c', 'a']) await answered.once(id, async () => outcome(++runs));
    expect(runs).toBe(4);
  });

  it('cannot be told without an id', async () => {
    const answered = new Answered(2);
    let runs = 0;
    for (let n = 0; n < 2; n++) await answered.once(undefined, async () => outcome(++runs));
    expect(runs).toBe(2);
  });
});
