import { describe, expect, it } from 'vitest';
import { grantsKey, readGrants } from './grants.js';

describe('the claim evenkeel', () => {
  it('gives the patterns of the actions that it lists', () => {
    expect(readGrants({ subscribe: ['room.42.#'], publish: [] })).toEqual({
      subscribe: ['room.42.#'],
      publish: [],
    });
    expect(readGrants({})).toEqual({});
    expect(readGrants(undefined)).toBeUndefined();
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => `room.${i}`);

  it('has at most 64 patterns, of all actions together', () => {
    expect(readGrants({ subscribe: many(32), publish: many(32) })).toBeDefined();
    expect(() => readGrants({ subscribe: many(33), publish: many(32) })).toThrow(
      '65 patterns; give at most 64',
    );
    expect(() => readGrants({ subscribe: many(65) })).toThrow('more than 64');
  });

  it.each([
    ['null', null, '`evenkeel`'],
    ['a text', 'room.#', '`evenkeel`'],
    ['a list', ['room.#'], '`evenkeel`'],
    ['an action that there is not', { subscrbe: ['room.#'] }, '`evenkeel`'],
    ['patterns that are no list', { subscribe: 'room.#' }, '`evenkeel.subscribe`'],
    ['a number for a pattern', { subscribe: [42] }, '`evenkeel.subscribe.0`'],
    ['an empty pattern', { publish: ['a', ''] }, '`evenkeel.publish.1`'],
    ['an empty word', { publish: ['a..b'] }, '`evenkeel.publish.0`'],
    ['a wildcard in a word', { publish: ['room*'] }, '`evenkeel.publish.0`'],
    ['a word of the mesh', { request: ['$authorize.#'] }, '`evenkeel.request.0`'],
    ['a pattern of over 200 bytes', { request: ['a'.repeat(201)] }, '`evenkeel.request.0`'],
  ])('is refused by its name when it has %s', (_, claim, name) => {
    expect(() => readGrants(claim)).toThrow(`the claim ${name} cannot be used`);
  });

  it('has one key for equal grants, whatever the order of actions, and another for others', () => {
    const key = grantsKey({ subscribe: ['a'], publish: ['b'] });
    expect(grantsKey({ publish: ['b'], subscribe: ['a'] })).toBe(key);
    for (const other of [
      { subscribe: ['a', 'b'] },
      { subscribe: ['a'], publish: ['b'], request: [] },
      {},
      undefined,
    ])
      expect(grantsKey(other)).not.toBe(key);
  });
});
