import { afterEach, expect, it, vi } from 'vitest';
import type { Found } from './ports.js';
import { Readings } from './readings.js';

function make() {
  const sent: string[] = [];
  const allowed = new Set(['room.1', 'room.2']);
  const connection = { isOpen: true, bufferedBytes: 0 };
  const found = new Map<string, (found: Found) => void>();
  const readings = new Readings({
    connection,
    highWatermarkBytes: 1,
    topics: {
      read: (topic, _wanted, _re, onFound) => {
        found.set(topic, onFound);
        return true;
      },
    },
    mayRead: (topic) => allowed.has(topic),
    send: (frame) => {
      sent.push(frame);
      connection.bufferedBytes += 2;
    },
  });
  const give = (topic: string, count: number) =>
    found.get(topic)?.({ count, frame: (n) => `${topic} ${n}`, position: 'p', recovered: true });
  return { readings, sent, allowed, connection, found, give };
}

afterEach(() => {
  vi.useRealTimers();
});

it('what is being read stops where the right to it is taken away, and the next one is read', () => {
  const { readings, sent, allowed, connection, give, found } = make();
  void readings.read({ id: '1', topic: 'room.1', last: 3 });
  void readings.read({ id: '2', topic: 'room.2', last: 1 });
  give('room.1', 3);
  expect(sent).toEqual(['room.1 0']);
  allowed.delete('room.1');
  readings.review();
  expect(JSON.parse(sent.at(-1) ?? '')).toMatchObject({ t: 'error', re: '1', code: 'forbidden' });
  connection.bufferedBytes = 0;
  readings.drained();
  expect(found.has('room.2')).toBe(true);
  give('room.2', 1);
  connection.bufferedBytes = 0;
  readings.drained();
  expect(sent.slice(2)).toEqual(['room.2 0', expect.stringContaining('"re":"2"')]);
});

it('what waits and may not be read any more never is', () => {
  const { readings, sent, allowed, found } = make();
  void readings.read({ id: '1', topic: 'room.1' });
  void readings.read({ id: '2', topic: 'room.2' });
  allowed.delete('room.2');
  readings.review();
  expect(JSON.parse(sent[0] ?? '')).toMatchObject({ re: '2', code: 'forbidden' });
  expect([...found.keys()]).toEqual(['room.1']);
});

it('who asks while nothing is found is told after 10 s, with all that wait behind; what is found later is not sent', async () => {
  vi.useFakeTimers();
  const { readings, sent, give, connection } = make();
  const done = ['1', '2'].map((id) => readings.read({ id, topic: 'room.1' }));
  vi.advanceTimersByTime(9_999);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  await Promise.all(done);
  expect(sent.map((frame) => JSON.parse(frame))).toMatchObject([
    { t: 'error', re: '1', code: 'broker-unavailable' },
    { t: 'error', re: '2', code: 'broker-unavailable' },
  ]);
  give('room.1', 1);
  expect(sent).toHaveLength(2);
  connection.bufferedBytes = 0;
  void readings.read({ id: '3', topic: 'room.1' });
  give('room.1', 0);
  expect(JSON.parse(sent.at(-1) ?? '')).toMatchObject({ t: 'ok', re: '3' });
  vi.advanceTimersByTime(60_000);
  expect(sent).toHaveLength(3);
});

it('a client that reads slowly what was found is given time', () => {
  vi.useFakeTimers();
  const { readings, sent, give, connection } = make();
  void readings.read({ id: '1', topic: 'room.1' });
  give('room.1', 2);
  vi.advanceTimersByTime(60_000);
  connection.bufferedBytes = 0;
  readings.drained();
  connection.bufferedBytes = 0;
  readings.drained();
  expect(sent).toEqual(['room.1 0', 'room.1 1', expect.stringContaining('"re":"1"')]);
});

it('a client that asks on while nothing is found has 16 looked for at a time', () => {
  vi.useFakeTimers();
  const { readings, sent, found } = make();
  for (let n = 1; n <= 17; n += 1) {
    found.clear();
    void readings.read({ id: `${n}`, topic: 'room.1' });
    if (n <= 16) vi.advanceTimersByTime(10_000);
  }
  expect(sent).toHaveLength(17);
  expect(found.size).toBe(0);
});
