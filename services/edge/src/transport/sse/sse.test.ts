import { closeCodes } from '@evenkeel/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { noCounts } from '../counts.js';
import { type ByteStream, SseConnection } from './connection.js';
import { PostOrder } from './order.js';
import { connectionOfPath } from './path.js';
import { SseStreams } from './streams.js';
import { closeText, frameText, linesOf } from './text.js';

const claims = { uid: 'u', sid: 's' } as SseConnection['claims'];

class FakeStream implements ByteStream {
  written: string[] = [];
  last: string | undefined;
  isAborted = false;
  isOpen = true;
  write(bytes: Buffer): boolean {
    this.written.push(bytes.toString());
    return this.isOpen;
  }
  end(bytes: Buffer): void {
    this.last = bytes.toString();
  }
  abort(): void {
    this.isAborted = true;
  }
}

function open({ highWatermarkBytes = 40, maxBufferedBytes = 100 } = {}) {
  const stream = new FakeStream();
  let nowMs = 0;
  const gone = vi.fn();
  const connection = new SseConnection({
    id: 'edge-1.secret',
    claims,
    address: () => '127.0.0.1',
    stream,
    topics: { add: () => {}, delete: () => {} },
    counts: noCounts(),
    highWatermarkBytes,
    maxBufferedBytes,
    maxPayloadBytes: 20,
    now: () => nowMs,
    onGone: gone,
  });
  const owner = { onFrame: vi.fn(), onIgnored: vi.fn(), onDrain: vi.fn(), onClose: vi.fn() };
  connection.owner = owner;
  const at = (ms: number) => {
    nowMs = ms;
  };
  return { stream, connection, owner, gone, at };
}

describe('a path', () => {
  it.each([
    ['/sse', ''],
    ['/e/edge-1/sse', ''],
    ['/sse/edge-1.x_Y-z', 'edge-1.x_Y-z'],
    ['/e/edge-1/sse/a.b', 'a.b'],
    ['/ws', undefined],
    ['/ssextra', undefined],
    ['/sse/', undefined],
    ['/sse/a/b', undefined],
  ])('%s is of the connection %j', (path, connection) => {
    expect(connectionOfPath(path)).toBe(connection);
  });
});

it('a frame is one event, whatever line breaks its body has', () => {
  expect(frameText('{"t":"pong"}')).toBe('data: {"t":"pong"}\n\n');
  expect(frameText('{\r\n1,\r2,\n3}')).toBe('data: {\ndata: 1,\ndata: 2,\ndata: 3}\n\n');
});

it('posted frames are told apart by lines', () => {
  expect(linesOf('{"a":1}\r\n\n {"b":2}\n')).toEqual(['{"a":1}', ' {"b":2}']);
});

it('posts with numbers are taken once and in order, those without as they come', () => {
  const order = new PostOrder();
  const places = [undefined, '1', '1', '3', '2', '3', '0', '1.5', 'x', undefined].map((n) => order.place(n));
  expect(places).toEqual(['next', 'next', 'repeat', 'early', 'next', 'next', 'bad', 'bad', 'bad', 'next']);
});

describe('a connection by server-sent events', () => {
  it('writes in order, and keeps back what the network does not take', () => {
    const { stream, connection, owner, at } = open();
    connection.send('1');
    stream.isOpen = false;
    connection.send('2');
    at(7);
    connection.send('3'.repeat(40));
    expect(stream.written).toEqual(['data: 1\n\n', 'data: 2\n\n']);
    expect(connection.slowSinceMs).toBe(7);
    stream.isOpen = true;
    connection.writable();
    expect(stream.written.at(-1)).toBe(`data: ${'3'.repeat(40)}\n\n`);
    expect([connection.bufferedBytes, connection.slowSinceMs]).toEqual([0, undefined]);
    expect(owner.onDrain).toHaveBeenCalledTimes(1);
  });

  it('drops messages of topics, and only those, for a client that is too far behind, and remembers it', () => {
    const { stream, connection, owner } = open();
    stream.isOpen = false;
    connection.send('x'.repeat(60));
    expect(connection.offer(Buffer.alloc(50))).toBe(false);
    expect([connection.takeDropped(), connection.takeDropped()]).toEqual([true, false]);
    expect(connection.isOpen).toBe(true);
    expect(connection.send('x'.repeat(60))).toBe(false);
    expect(stream.last).toBe(closeText(closeCodes.slowConsumer));
    expect(owner.onClose).toHaveBeenCalledExactlyOnceWith(undefined);
  });

  it('drops what follows a message that was dropped until its client is told, which it may be as soon as there is room', () => {
    const { stream, connection, owner, at } = open();
    stream.isOpen = false;
    connection.send('x'.repeat(60));
    connection.send('y');
    expect(connection.offer(Buffer.alloc(50))).toBe(false);
    expect(connection.offer(Buffer.alloc(5))).toBe(false);
    at(9);
    connection.writable();
    expect(connection.bufferedBytes).toBeGreaterThan(0);
    expect(owner.onDrain).toHaveBeenCalledTimes(1);
    expect(connection.takeDropped()).toBe(true);
    expect(connection.offer(Buffer.alloc(5))).toBe(true);
  });

  it('says what waits, and then why, when it is closed', () => {
    const { stream, connection, gone } = open();
    stream.isOpen = false;
    connection.send('1');
    connection.send('2');
    connection.close(closeCodes.moved);
    expect(stream.last).toBe('data: 2\n\nevent: close\ndata: {"code":4001,"reason":"moved"}\n\n');
    expect(gone).toHaveBeenCalledExactlyOnceWith(connection, 4001, true);
    expect([connection.send('3'), connection.closeCode]).toEqual([false, 4001]);
  });

  it('is written to now and then while it takes nothing, since the engine would end it', () => {
    const { stream, connection } = open();
    connection.nudge();
    stream.isOpen = false;
    connection.send('1');
    connection.nudge();
    expect(stream.written).toEqual(['data: 1\n\n', '\n']);
    connection.send('2');
    stream.isOpen = true;
    connection.nudge();
    expect(stream.written.at(-1)).toBe('data: 2\n\n');
  });

  it('ends without a word where its client has gone, once', () => {
    const { connection, owner, gone } = open();
    connection.lost();
    connection.lost();
    expect(owner.onClose).toHaveBeenCalledExactlyOnceWith(1006);
    expect(gone).toHaveBeenCalledExactlyOnceWith(connection, 1006, false);
  });
});

describe('a client that has gone without a word', () => {
  afterEach(() => void vi.useRealTimers());

  it('is noticed within two heartbeats and the ten seconds that one has to answer, and one that posts in time is not', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const heartbeatMs = 15_000;
    const gone: [SseConnection, number][] = [];
    const streams = new SseStreams({
      node: 'edge-1',
      heartbeatMs,
      counts: noCounts(),
      highWatermarkBytes: 100,
      maxBufferedBytes: 100_000,
      maxPayloadBytes: 100,
      now: () => performance.now(),
      onGone: (connection) => void gone.push([connection, performance.now()]),
    });
    streams.start();
    const beganAtMs = performance.now();
    const [silent, well] = [new FakeStream(), new FakeStream()].map((stream) =>
      streams.open(stream, claims, () => '127.0.0.1'),
    );
    for (let n = 0; n < 10; n += 1) {
      vi.advanceTimersByTime(2 * heartbeatMs);
      well?.heard();
    }
    streams.stop();
    expect(gone.map(([connection]) => connection)).toEqual([silent, well]);
    const afterMs = (gone[0]?.[1] ?? 0) - beganAtMs;
    expect(afterMs).toBeGreaterThan(2 * heartbeatMs);
    expect(afterMs).toBeLessThanOrEqual(2 * heartbeatMs + 10_000);
  });
});
