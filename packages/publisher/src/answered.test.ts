import { describe, expect, it } from 'vitest';
import { Answered } from './answered.js';

describe('outcomes', () => {
  it('are known by the id of their message, the last so many', () => {
    const answered = new Answered<number>(2);
    answered.remember('a', 1);
    answered.remember('b', 2);
    answered.remember('a', 3);
    answered.remember('c', 4);
    expect(['a', 'b', 'c', 'd', undefined].map((id) => answered.of(id))).toEqual([
      3,
      undefined,
      4,
      undefined,
      undefined,
    ]);
  });

  it('of a message without id are not kept', () => {
    const answered = new Answered<number>(2);
    answered.remember(undefined, 1);
    expect(answered.of(undefined)).toBeUndefined();
  });

  it('are kept up to 16 MiB, the newest of them', () => {
    const answered = new Answered<number>(1_000, (bytes) => bytes);
    const third = 6_000_000;
    for (const id of ['a', 'b', 'c']) answered.remember(id, third);
    expect(['a', 'b', 'c'].map((id) => answered.of(id))).toEqual([undefined, third, third]);
  });
});
