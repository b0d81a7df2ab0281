import type { TicketClaims } from '@evenkeel/ticket';
import { expect, it, vi } from 'vitest';
import { noCounts } from '../counts.js';
import { UwsConnection } from './connection.js';

it('says that there is room as soon as there is some, where messages were dropped, and else at the high watermark', () => {
  const ws = { getBufferedAmount: () => buffered };
  let buffered = 90;
  const claims = { uid: 'alice', sid: 's' } as TicketClaims;
  const connection = new UwsConnection(
    ws as never,
    { claims, isBare: false } as never,
    () => '127.0.0.1',
    { highWatermarkBytes: 40, maxBufferedBytes: 100, now: () => 1 },
    noCounts(),
  );
  const onDrain = vi.fn(() => void connection.takeDropped());
  connection.owner = { onFrame: vi.fn(), onIgnored: vi.fn(), onDrain, onClose: vi.fn() };
  connection.drained();
  expect(onDrain).not.toHaveBeenCalled();
  connection.dropped(new ArrayBuffer(10));
  connection.drained();
  expect(onDrain).toHaveBeenCalledTimes(1);
  expect(connection.slowSinceMs).toBe(1);
  // It is told.
  connection.drained();
  expect(onDrain).toHaveBeenCalledTimes(1);
  buffered = 40;
  connection.drained();
  expect(onDrain).toHaveBeenCalledTimes(2);
  expect([connection.slowSinceMs, connection.roomBytes]).toEqual([undefined, 60]);
});

it('brings nothing of a topic ahead of what is to be told of it: the engine is asked for it once more when that is told', async () => {
  const calls: string[] = [];
  const subscribed = new Set(['a', 'b']);
  const ws = {
    getBufferedAmount: () => 90,
    send: (bytes: Uint8Array) => void calls.push(Buffer.from(bytes).toString()),
    subscribe: (topic: string) => void calls.push(`subscribe ${topic}`),
    unsubscribe: (topic: string) => subscribed.delete(topic) && calls.push(`unsubscribe ${topic}`) > 0,
  };
  const claims = { uid: 'alice', sid: 's' } as TicketClaims;
  const options = { highWatermarkBytes: 40, maxBufferedBytes: 100, now: () => 1 };
  const admitted = { claims, isBare: false };
  const connection = new UwsConnection(ws as never, admitted as never, () => '', options, noCounts());
  connection.owner = { onFrame: vi.fn(), onIgnored: vi.fn(), onDrain: vi.fn(), onClose: vi.fn() };
  const message = (topic: string) => `{"t":"message","topic":"${topic}","data":1}`;
  const dropped = (topic: string) =>
    connection.dropped(new Uint8Array(Buffer.from(message(topic))).buffer as ArrayBuffer);
  for (const topic of ['a', 'a', 'c']) dropped(topic);
  await new Promise((resolve) => setImmediate(resolve));
  connection.sendMessage(message('a'));
  connection.sendMessage(message('b'));
  expect(calls).toEqual(['unsubscribe a', message('b')]);
  expect(connection.takeDropped()).toBe(true);
  connection.sendMessage(message('a'));
  expect(calls.slice(2)).toEqual(['subscribe a', message('a')]);
  // Not one that was left meanwhile.
  dropped('b');
  await new Promise((resolve) => setImmediate(resolve));
  connection.unsubscribe('b');
  connection.takeDropped();
  expect(calls.slice(4)).toEqual(['unsubscribe b']);
});
