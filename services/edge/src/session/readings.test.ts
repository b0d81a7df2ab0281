import { expect, it } from 'vitest';
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
