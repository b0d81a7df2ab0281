import { describe, expect, it } from 'vitest';
import { areSame, spreadOf } from './level.js';

describe('spreadOf', () => {
  it('calls 2 % off the mean level, more not, on either side', () => {
    const nodes = ['a', 'b', 'c'];
    expect(spreadOf({ a: 1020, b: 1000, c: 980 }, nodes)).toEqual({
      total: 3000,
      maxOverMean: 1.02,
      isLevel: true,
    });
    expect(spreadOf({ a: 1021, b: 1000, c: 979 }, nodes).isLevel).toBe(false);
    expect(spreadOf({ a: 1015, b: 1014, c: 971 }, nodes).isLevel).toBe(false);
  });

  it('does not take a node without connections for level', () => {
    expect(spreadOf({ a: 10, b: 10 }, ['a', 'b', 'c']).isLevel).toBe(false);
    expect(spreadOf({}, ['a', 'b']).isLevel).toBe(false);
  });

  it('lets one connection be off where 2 % are less', () => {
    expect(spreadOf({ a: 4, b: 3, c: 3 }, ['a', 'b', 'c']).isLevel).toBe(true);
    expect(spreadOf({ a: 5, b: 3, c: 2 }, ['a', 'b', 'c']).isLevel).toBe(false);
  });
});

it('tells counts that differ, a missing node being one without connections', () => {
  expect(areSame({ a: 1, b: 0 }, { a: 1 })).toBe(true);
  expect(areSame({ a: 1 }, { a: 1, b: 1 })).toBe(false);
  expect(areSame({ a: 1 }, { a: 2 })).toBe(false);
});
