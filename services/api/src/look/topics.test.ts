import { readNamespaces } from '@evenkeel/access';
import type { TailRecord } from '@evenkeel/mesh';
import { expect, it } from 'vitest';
import { maxPageBytes } from './limits.js';
import { type Kept, TopicLooks } from './topics.js';

const record = (offset: number, bytes = 100): TailRecord<Kept> => ({
  offset,
  print: 'aaaaaaaaaa',
  topics: ['room.1'],
  atMs: 1,
  bytes,
  item: `,"id":"${offset}","at":1,"data":12345678901234567890`,
});

/** Looks at a history that has these records behind every position. */
function looking(records: readonly TailRecord<Kept>[], readiness: true | string = true) {
  const answer = { is: 'all', records, upTo: record(99_999) } as const;
  const stream = {
    since: (_topic: string, _since: string, onAnswer: (recovery: typeof answer) => void) => onAnswer(answer),
    last: (_topic: string, _count: number, onAnswer: (recovery: typeof answer) => void) => onAnswer(answer),
  };
  return new TopicLooks({
    namespaces: readNamespaces('{"namespaces":{"room":{"history":{}}}}'),
    history: { of: () => stream as never },
    presence: { of: (topic) => ({ topic, count: topic === 'room.full' ? 2_000 : 0 }) },
    historyReadiness: () => readiness,
    presenceReadiness: () => readiness,
  });
}

const read = async (looks: TopicLooks) =>
  JSON.parse((await looks.past('room.1', { since: '0-aaaaaaaaaa' })).text) as {
    messages: { position: string }[];
    position: string;
    more: boolean;
  };

it('of many messages one answer has the first, and goes on from its position', async () => {
  const { messages, position, more } = await read(
    looking(Array.from({ length: 2_500 }, (_, n) => record(n))),
  );
  expect([messages.length, position, more]).toEqual([1_000, '999-aaaaaaaaaa', true]);
  const end = await read(looking([record(7)]));
  expect([end.messages.length, end.position, end.more]).toEqual([1, '99999-aaaaaaaaaa', false]);
});

it('one answer has so many bytes, and one message at least', async () => {
  const large = looking([record(1, 2 * maxPageBytes), record(2, 10)]);
  expect(await read(large)).toMatchObject({ messages: [{ position: '1-aaaaaaaaaa' }], more: true });
  const half = looking([1, 2, 3].map((n) => record(n, maxPageBytes / 2)));
  expect((await read(half)).messages).toHaveLength(2);
});

it('passes on what was published as it was written', async () => {
  const { text } = await looking([record(1)]).past('room.1', { last: 1 });
  expect(text).toContain('"data":12345678901234567890');
});

it('says so where it does not know at present, and where nothing is kept', async () => {
  const away = looking([], 'RabbitMQ is away');
  const unavailable = { status: 503, code: 'unavailable', message: 'RabbitMQ is away' };
  await expect(away.past('room.1', { last: 1 })).rejects.toMatchObject(unavailable);
  await expect(away.members('room.1')).rejects.toMatchObject(unavailable);
  const looks = looking([]);
  await expect(looks.past('other', { last: 1 })).rejects.toMatchObject({ status: 404, code: 'no-history' });
  await expect(looks.members('room.1')).rejects.toMatchObject({ status: 404, code: 'no-presence' });
});

it('of many users the number alone', async () => {
  expect(await looking([]).members('room.full')).toEqual({ topic: 'room.full', count: 2_000 });
});
