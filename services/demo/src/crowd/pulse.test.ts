import { describe, expect, it } from 'vitest';
import { Pulse } from './pulse.js';

const noted = (pulse: Pulse, run: string, ...numbers: number[]) =>
  numbers.map((number) => pulse.note(run, number));

describe('the messages of a topic', () => {
  it('may begin anywhere, and miss none from then on', () => {
    const pulse = new Pulse();
    noted(pulse, 'a', 7, 8, 11);
    expect(pulse.lost).toBe(2);
  });

  it('may be missing after a gap was told, once', () => {
    const pulse = new Pulse();
    noted(pulse, 'a', 1);
    pulse.gap();
    noted(pulse, 'a', 5, 7);
    expect(pulse.lost).toBe(1);
  });

  it('promise nothing before the client is connected, and count when they come that early', () => {
    const pulse = new Pulse();
    pulse.note('a', 3, false);
    pulse.note('a', 6);
    expect(pulse.lost).toBe(0);
    for (const number of [8, 9]) pulse.note('a', number, false);
    pulse.note('a', 10);
    expect(pulse.lost).toBe(1);
  });

  it('begin at 1 in another run of the publisher', () => {
    const pulse = new Pulse();
    noted(pulse, 'a', 4);
    noted(pulse, 'b', 1, 2);
    expect(pulse.lost).toBe(0);
    noted(pulse, 'c', 3);
    expect(pulse.lost).toBe(2);
  });

  it('are repeated or out of order, never both', () => {
    const pulse = new Pulse();
    pulse.gap();
    expect(noted(pulse, 'a', 1, 3, 3, 2)).toEqual(['in-order', 'in-order', 'repeated', 'reordered']);
    expect(pulse).toMatchObject({ repeated: 1, reordered: 1 });
  });
});
