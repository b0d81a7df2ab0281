import { type HistoryStream, type Recovery, type TailRecord, writePosition } from '@evenkeel/mesh';
import { expect, it } from 'vitest';
import type { HistoryItem } from '../../frame/placed.js';
import { Feed } from './feed.js';

const at = (offset: number) => ({ offset, print: 'p'.repeat(10) });
const record = (offset: number): TailRecord<HistoryItem> => ({
  ...at(offset),
  topics: ['t'],
  atMs: 0,
  bytes: 1,
  item: { rest: '}', from: undefined },
});

/** A topic whose stream has records up to `newest`, on its way to a client that reads nothing while `isSlow`. */
function world() {
  const state = {
    newest: 9,
    isSlow: false,
    isInterrupted: false,
    sent: 0,
    is: 'all' as Recovery<HistoryItem>['is'],
  };
  const behind = (offset: number): Recovery<HistoryItem> => ({
    is: 'all',
    records: Array.from({ length: state.newest - offset }, (_, n) => record(offset + 1 + n)),
    upTo: at(state.newest),
  });
  const tail = {
    get last() {
      return at(state.newest);
    },
    at,
  };
  const stream = {
    tail,
    get isInterrupted() {
      return state.isInterrupted;
    },
    limits: { size: 100, seconds: 60 },
    last: (_topic: string, count: number, onAnswer: (recovery: Recovery<HistoryItem>) => void) =>
      onAnswer({ ...behind(state.newest - count), is: state.is }),
    behindPlace: (
      _topic: string,
      { offset }: { offset: number },
      onAnswer: (recovery: Recovery<HistoryItem>) => void,
    ) => onAnswer(behind(offset)),
  };
  const feed = new Feed({
    topic: 't',
    stream: stream as unknown as HistoryStream<HistoryItem>,
    connection: {
      isOpen: true,
      get bufferedBytes() {
        return state.isSlow ? 2 : 0;
      },
      send: () => {
        state.sent += 1;
        return true;
      },
    },
    highWatermarkBytes: 1,
    listen: () => {},
    unlisten: () => {},
    onLost: () => {},
  });
  return { feed, state };
}

it('says up to where all is sent: the past, what came live, and where something was dropped what came before that', () => {
  const { feed, state } = world();
  feed.begin({ last: 2 }, () => {});
  expect([state.sent, feed.isLive, feed.position]).toEqual([2, true, writePosition(at(9))]);
  state.newest = 50;
  expect(feed.position).toBe(writePosition(at(50)));

  state.isSlow = true;
  expect(feed.dropped(41)).toBe(true);
  expect(feed.position).toBe(writePosition(at(40)));
  feed.recover();
  expect(feed.position).toBe(writePosition(at(40)));
  state.isSlow = false;
  feed.drained();
  expect([state.sent, feed.isLive, feed.position]).toEqual([12, true, writePosition(at(50))]);
});

it('has no position where messages are missing that its client is still to be told of: a move would lose them in silence', () => {
  const { feed, state } = world();
  feed.begin({ last: 2 }, () => {});
  state.isInterrupted = true;
  expect(feed.position).toBeUndefined();
  state.isInterrupted = false;
  expect(feed.position).toBe(writePosition(at(9)));
});

it('says that some of the last ones are gone where older ones could not be read in time, and sends the newest', () => {
  const { feed, state } = world();
  state.is = 'newest';
  const answers: unknown[] = [];
  feed.begin({ last: 2 }, (answer) => answers.push(answer));
  expect(answers).toEqual([{ position: writePosition(at(9)), recovered: false }]);
  expect([state.sent, feed.isLive]).toEqual([2, true]);
});
