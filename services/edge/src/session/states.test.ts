import { describe, expect, it } from 'vitest';
import { next, type SessionState, transitions } from './states.js';

const states = Object.keys(transitions) as SessionState[];
const pairs = states.flatMap((from) => states.map((to) => ({ from, to })));

describe('next', () => {
  it.each(pairs)('$from to $to: as the table says', ({ from, to }) => {
    const ways: readonly SessionState[] = transitions[from];
    if (ways.includes(to)) expect(next(from, to)).toBe(to);
    else expect(() => next(from, to)).toThrow(`a session that is ${from} cannot become ${to}`);
  });

  it('leads from every state to an end, and to none twice', () => {
    const ends = (from: SessionState, seen: SessionState[]): boolean => {
      expect(seen).not.toContain(from);
      const ways: readonly SessionState[] = transitions[from];
      return ways.length === 0
        ? ['moved', 'gone'].includes(from)
        : ways.every((to) => ends(to, [...seen, from]));
    };
    expect(ends('opened', [])).toBe(true);
  });
});
