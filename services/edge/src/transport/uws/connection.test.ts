import type uWS from 'uWebSockets.js';
import { setImmediate as turn } from 'node:timers/promises';
import { closeCodes } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
import { noCounts } from '../counts.js';
import { type UserData, UwsConnection } from './connection.js';
import { Gathering } from './gathering.js';

/** A WebSocket that writes nothing: what was called, those within one cork together, and what waits for the network. */
class FakeSocket {
  readonly calls: (string | string[])[] = [];
  buffered = 0;
  result = 1;
  #corked: string[] | undefined;

  send(bytes: Uint8Array): number {
    const text = Buffer.from(bytes).toString();
    (this.#corked ?? this.calls).push(text);
    return this.result;
  }

  cork(fn: () => void): void {
    const corked: string[] = [];
    this.#corked = corked;
    fn();
    this.#corked = undefined;
    this.calls.push(corked);
  }

  end(code: number): void {
    (this.#corked ?? this.calls).push(`end ${code}`);
  }

  getBufferedAmount(): number {
    return this.buffered;
  }
}

const highWatermarkBytes = 1_000_000;

function connected(gathering = new Gathering()) {
  const socket = new FakeSocket();
  const admitted = { isAdmitted: true, claims: {}, isBare: false } as never;
  const options = { highWatermarkBytes, gathering, now: () => 5 };
  const ws = socket as unknown as uWS.WebSocket<UserData>;
  return { socket, connection: new UwsConnection(ws, admitted, () => '', options, noCounts()) };
}

it('writes what is sent soon at the end of the turn: several at once, one by itself', async () => {
  const gathering = new Gathering();
  const [one, other] = [connected(gathering), connected(gathering)];
  for (const text of ['a', 'b', 'c']) one.connection.sendSoon(text);
  other.connection.sendSoon('d');
  expect(one.connection.bufferedBytes).toBe(3);
  expect([one.socket.calls, other.socket.calls]).toEqual([[], []]);
  await turn();
  expect(one.socket.calls).toEqual([['a', 'b', 'c']]);
  expect(other.socket.calls).toEqual(['d']);
  expect(one.connection.bufferedBytes).toBe(0);
  one.connection.sendSoon('e');
  await turn();
  expect(one.socket.calls.at(-1)).toBe('e');
});

it('writes it before all else, so that the order is that of the calls', async () => {
  const { socket, connection } = connected();
  connection.sendSoon('a');
  connection.send('b');
  connection.sendSoon('c');
  connection.sendSoon('d');
  connection.sendMessage('m');
  connection.sendSoon('e');
  connection.sendBinary(Buffer.from('f'));
  connection.sendSoon('g');
  connection.close(closeCodes.superseded);
  await turn();
  const end = `end ${closeCodes.superseded.code}`;
  expect(socket.calls).toEqual(['a', 'b', ['c', 'd'], 'm', 'e', 'f', 'g', end]);
});

it('lets no more wait than is written at once, nor than 128 frames of all connections', async () => {
  const gathering = new Gathering();
  const { socket, connection } = connected(gathering);
  const long = 'x'.repeat(6_000);
  for (const text of ['a', long, long]) connection.sendSoon(text);
  expect(socket.calls).toEqual([]);
  connection.sendSoon(long);
  expect(socket.calls).toEqual([['a', long, long, long]]);
  await turn();
  const crowd = Array.from({ length: 128 }, () => connected(gathering));
  for (const [n, each] of crowd.entries()) each.connection.sendSoon(`${n}`);
  expect(crowd.map((each) => each.socket.calls)).toEqual(crowd.map((_, n) => [`${n}`]));
});

it('notes when its client has become slow, and closes it where frames get lost, with all that follows', async () => {
  const { socket, connection } = connected();
  connection.sendSoon('a');
  connection.sendSoon('b');
  socket.buffered = highWatermarkBytes + 1;
  await turn();
  expect(connection.slowSinceMs).toBe(5);
  socket.result = 2;
  connection.sendSoon('c');
  connection.sendSoon('d');
  await turn();
  expect(socket.calls).toEqual([
    ['a', 'b'],
    [`c`, `end ${closeCodes.slowConsumer.code}`],
  ]);
});

it('sends nothing once it has gone', async () => {
  const { socket, connection } = connected();
  connection.sendSoon('a');
  connection.gone(1006);
  expect(connection.sendSoon('b')).toBe(false);
  await turn();
  expect(socket.calls).toEqual([]);
});
