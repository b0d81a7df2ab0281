import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PartedConnection } from '../seams/connection.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { Streams } from './streams.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const socket = {} as EdgeSocket;

/** A stream with 1,000 ms for each part, of which the first has come, and a hand on its connection. */
async function begun() {
  const said: unknown[] = [];
  const connection = {
    state: 'connected',
    eventQueue: { atWork: undefined as EdgeSocket | undefined },
    calls: { answered: () => {} },
    ask: () => new Promise(() => {}),
    say: (frame: object) => said.push(frame) > 0,
    takeCounted: (_socket: EdgeSocket, _frame: object, _id: string, take: () => void) => take(),
  };
  const streams = new Streams(connection as unknown as PartedConnection);
  streams.welcomed(socket, { session: 'one' } as never);
  const stream = streams.open('tell', 1, { timeoutMs: 1_000 });
  let n = 0;
  const part = async (): Promise<void> => {
    streams.received(socket, { t: 'part', seq: n + 1, re: stream.id, n, data: n });
    expect(await stream.next()).toEqual({ done: false, value: n });
    n += 1;
  };
  await part();
  const ending = vi.fn();
  const watch = (): void => void stream.next().catch(({ code }: { code: string }) => ending(code));
  return { connection, streams, stream, said, part, ending, watch };
}

it('each part may take as long as the first; with none in time the rest is cancelled', async () => {
  const { stream, said, part, ending, watch } = await begun();
  for (let n = 0; n < 5; n += 1) {
    await vi.advanceTimersByTimeAsync(900);
    await part();
  }
  watch();
  await vi.advanceTimersByTimeAsync(999);
  expect(ending).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(ending).toHaveBeenCalledExactlyOnceWith('timeout');
  expect(said).toEqual([{ t: 'cancel', re: stream.id }]);
});

it('neither the time without a connection counts, nor while an event is handled that parts may wait behind', async () => {
  const { connection, streams, part, ending, watch } = await begun();
  connection.state = 'connecting';
  await vi.advanceTimersByTimeAsync(3_900);
  connection.state = 'connected';
  streams.welcomed(socket, { session: 'one' } as never);
  await vi.advanceTimersByTimeAsync(900);
  await part();
  connection.eventQueue.atWork = socket;
  await vi.advanceTimersByTimeAsync(3_900);
  await part();
  connection.eventQueue.atWork = undefined;
  watch();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ending).toHaveBeenCalledExactlyOnceWith('timeout');
});

it('what an earlier page has asked is as patient as its edge, and a stream that is over waits for nothing', async () => {
  const { streams, stream } = await begun();
  await stream.return();
  expect(vi.getTimerCount()).toBe(0);
  streams.received(socket, { t: 'part', seq: 9, re: 'earlier', n: 7, data: 7 });
  expect(streams.unclaimed).toMatchObject([{ id: 'earlier', n: 8 }]);
  expect(vi.getTimerCount()).toBe(0);
});
