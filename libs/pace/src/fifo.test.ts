import { describe, expect, it } from 'vitest';
import { Fifo } from './fifo.js';

describe('Fifo', () => {
  it('keeps the order across many pushes, shifts and a prepend', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 5000; i++) fifo.push(i);
    const first = Array.from({ length: 3000 }, () => fifo.shift());
    expect(first).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    fifo.prepend([2998, 2999]);
    expect(fifo.length).toBe(2002);
    expect(fifo.peek()).toBe(2998);
    expect(fifo.drain()).toEqual(Array.from({ length: 2002 }, (_, i) => i + 2998));
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
  });
});
