import type { Broker, StreamListener, StreamReaderOptions, StreamRecord } from '@evenkeel/broker';
import { exchanges, historyHeader, historyQueue, lossMarks, topicKey } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
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

/** A stream that is read by hand, as its reader would. */
function world() {
  let listener: StreamListener | undefined;
  let from: StreamReaderOptions['from'];
  const told: string[] = [];
  const connection = {
    stream: (_queue: string, toTell: StreamListener, options: StreamReaderOptions) => {
      listener = toTell;
      from = options.from;
      return { start: () => {}, stop: async () => {}, readiness: () => true };
    },
  };
  const stream = new HistoryStream<string>({
    namespace: 'room',
    limits: { size: 100, seconds: 60 },
    bounds: { maxRecords: 100, maxBytes: 1_000 },
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
