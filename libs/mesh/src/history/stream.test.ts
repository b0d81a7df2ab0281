import type { Broker, StreamListener, StreamPart, StreamReaderOptions, StreamRecord } from '@evenkeel/broker';
import { exchanges, historyHeader, historyQueue, lossMarks, topicKey } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Recovery } from './recovery.js';
import { HistoryStream } from './stream.js';
import { Turns } from './turns.js';

const topic = 'room.1';
const queue = historyQueue('room');

const record = (exchange: string, key: string, headers: Record<string, unknown> = {}): StreamRecord =>
  ({ exchange, key, body: Buffer.from('{}'), properties: { headers } }) as StreamRecord;
const mark = (which: string) => record(exchanges.replies, queue, { [historyHeader]: which });
const message = (messageId: string): StreamRecord => {
  const { properties, ...rest } = record(exchanges.events, topicKey(topic));
  return { ...rest, properties: { ...properties, messageId } };
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream that is read by hand, as its reader would. */
function world(maxRecords = 100) {
  let listener: StreamListener | undefined;
  let from: StreamReaderOptions['from'];
  const told: string[] = [];
  /** Records of before the tail that a look finds before its time is over. */
  const older: StreamRecord[] = [];
  const connection = {
    stream: (_queue: string, toTell: StreamListener, options: StreamReaderOptions) => {
      listener = toTell;
      from = options.from;
      return { start: () => {}, stop: async () => {}, readiness: () => true };
    },
    readStreamPart: async (_queue: string, { from: next, timeoutMs, onRecord }: StreamPart) => {
      const first = next === 'first' ? 0 : next;
      for (const [n, each] of older.slice(first).entries()) if (onRecord(each, first + n)) return true;
      await new Promise((resolve) => setTimeout(resolve, timeoutMs));
      return false;
    },
  };
  const stream = new HistoryStream<string>({
    namespace: 'room',
    limits: { size: 100, seconds: 60 },
    bounds: { maxRecords, maxBytes: 1_000 },
    maxStreamBytes: 0,
    connection: connection as unknown as Pick<Broker, 'stream' | 'readStreamPart'>,
    turns: new Turns(1),
    make: ({ properties }) => ({ item: properties.messageId ?? '', bytes: 1, atMs: undefined }),
    onMessage: ({ item }) => void told.push(item),
    onBreak: () => void told.push('break'),
    now: () => 0,
    log: { warn: () => {}, info: () => {} },
  });
  return {
    stream,
    told,
    older,
    last: async (count: number) => {
      const answer = new Promise<Recovery<string>>((resolve) => stream.last(topic, count, resolve));
      await vi.advanceTimersByTimeAsync(11_000);
      const { is, records } = await answer;
      return { is, items: records.map(({ item }) => item) };
    },
    /** It is read once more; `end`: offset of its last record. */
    begin(end: number) {
      listener?.onStart();
      return from?.(end);
    },
    read: (what: StreamRecord, offset: number) => listener?.onRecord(what, offset),
    caughtUp: () => listener?.onCaughtUp(),
  };
}

it('is interrupted from when another stream is read until that has been told', () => {
  const { stream, told, begin, read, caughtUp } = world();
  begin(0);
  read(message('old'), 0);
  caughtUp();
  read(message('live'), 1);
  expect([told, stream.isInterrupted]).toEqual([['live'], false]);

  expect(begin(1)).toBe(1);
  expect(read(message('of the new one'), 1)).toBe(false);
  expect(begin(1)).toBe('first');
  read(message('new'), 0);
  read(message('of the new one'), 1);
  expect([told, stream.isInterrupted]).toEqual([['live'], true]);
  caughtUp();
  expect([told, stream.isInterrupted]).toEqual([['live', 'break'], false]);
});

it('is interrupted from a mark that messages went past it until that has been told', () => {
  const { stream, told, begin, read, caughtUp } = world();
  begin(0);
  read(message('old'), 0);
  caughtUp();
  read(mark(lossMarks.begin), 1);
  expect([told, stream.isInterrupted]).toEqual([[], true]);
  read(mark(lossMarks.end), 2);
  expect([told, stream.isInterrupted]).toEqual([['break'], false]);
});

it('gives the last ones from the tail alone where the look at older ones took too long: those it has seen are not the newest', async () => {
  const { begin, read, caughtUp, older, last } = world(2);
  older.push(...['a', 'b', 'c'].map(message));
  expect(begin(4)).toBe(3);
  read(message('d'), 3);
  read(message('e'), 4);
  caughtUp();
  expect(await last(4)).toEqual({ is: 'all', items: ['b', 'c', 'd', 'e'] });

  older.length = 1;
  expect(await last(4)).toEqual({ is: 'newest', items: ['d', 'e'] });
});
