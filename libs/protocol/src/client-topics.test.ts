import { describe, expect, it } from 'vitest';
import { clientFrame } from './client.js';

const options = { since: '41-x9Yw', last: 20, presence: true, echo: false };

describe('topics that a client wants', () => {
  it('are names or objects in hello, and objects to whoever reads it', () => {
    const frame = clientFrame.parse({ t: 'hello', topics: ['a', { topic: 'b', ...options, later: 1 }] });
    expect(frame).toEqual({ t: 'hello', topics: [{ topic: 'a' }, { topic: 'b', ...options }] });
  });

  it('have the same fields in subscribe', () => {
    const frame = { t: 'subscribe', id: '1', topic: 'a', ...options };
    expect(clientFrame.parse(frame)).toEqual(frame);
  });

  it.each([
    { since: '' },
    { since: 'x'.repeat(257) },
    { last: -1 },
    { last: 1.5 },
    { presence: 1 },
    { echo: 'no' },
  ])('are refused with %o', (wrong) => {
    expect(clientFrame.safeParse({ t: 'subscribe', id: '1', topic: 'a', ...wrong }).success).toBe(false);
    expect(clientFrame.safeParse({ t: 'hello', topics: [{ topic: 'a', ...wrong }] }).success).toBe(false);
  });
});
