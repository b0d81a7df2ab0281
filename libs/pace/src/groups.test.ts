import { expect, it } from 'vitest';
import { Groups } from './groups.js';

it('a group has its members once each, in their order, until they are removed', () => {
  const groups = new Groups<string, string>();
  for (const member of ['a', 'a', 'b', 'c', 'b']) groups.add('x', member);
  groups.add('y', 'a');
  expect([groups.of('x'), groups.of('y'), groups.of('z')]).toEqual([['a', 'b', 'c'], ['a'], []]);
  for (const member of ['b', 'z', 'a', 'c', 'c']) groups.delete('x', member);
  groups.delete('y', 'b');
  expect([groups.of('x'), groups.of('y')]).toEqual([[], ['a']]);
  groups.delete('y', 'a');
  groups.add('x', 'd');
  expect([groups.of('x'), groups.of('y')]).toEqual([['d'], []]);
});
