import { expect, it } from 'vitest';
import { closeLabel, noCounts } from './counts.js';

it('codes that clients choose are one label, whatever they are; those that mean something are their own', () => {
  expect([1000, 1006, 4001, 4503].map(closeLabel)).toEqual(['1000', '1006', '4001', '4503']);
  expect([0, 3_000, 4_999, 65_535].map(closeLabel)).toEqual(['other', 'other', 'other', 'other']);
});

it('the codes of the protocol are counted from zero', () => {
  expect(noCounts().closes.get('4004')).toBe(0);
});
