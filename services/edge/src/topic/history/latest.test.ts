import type { TailRecord } from '@evenkeel/mesh';
import { expect, test } from 'vitest';
import type { HistoryItem } from '../../frame/placed.js';
import { latestCount, newestOfKeys } from './latest.js';

const record = (offset: number, key: string | undefined, isDeletion = false): TailRecord<HistoryItem> => {
  const item = {
    rest: '',
    from: undefined,
    ...(key !== undefined && { key }),
    ...(isDeletion && { isDeletion }),
  };
  return { offset, print: 'abcdefghij', topics: ['rates'], item } as unknown as TailRecord<HistoryItem>;
};
const offsets = (records: readonly TailRecord<HistoryItem>[]) =>
  newestOfKeys(records).map(({ offset }) => offset);

test('of each key the newest is given, in the order of publishing', () => {
  expect(offsets([record(1, 'a'), record(2, 'b'), record(3, 'a'), record(4, 'c')])).toEqual([2, 3, 4]);
});

test('what was deleted is not given, unless it came again', () => {
  expect(offsets([record(1, 'a'), record(2, 'b'), record(3, 'a', true)])).toEqual([2]);
  expect(offsets([record(1, 'a'), record(2, 'a', true), record(3, 'a')])).toEqual([3]);
});

test('messages without a key are of one key', () => {
  expect(offsets([record(1, undefined), record(2, 'a'), record(3, undefined)])).toEqual([2, 3]);
});

test('only a topic with a newest value has a past for who asks for none', () => {
  const limits = { size: 50, seconds: 10 };
  expect(latestCount(limits)).toBe(0);
  expect(latestCount({ ...limits, latest: false })).toBe(0);
  expect(latestCount({ ...limits, latest: true })).toBe(1);
  expect(latestCount({ ...limits, latest: 'key' })).toBe(50);
});
