import type { ClientFrame, EdgeFrame, HelloFrame, Placement, RefreshFrame } from '@evenkeel/protocol/wire';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ConnectOptions, connect, type Status } from '../core.js';
import type { PlacementQuery } from '../dial/options.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is looked at of what the client has sent. */
type Sent = Partial<HelloFrame | RefreshFrame> & { id?: string; token?: string; topics?: string[] };

const welcome = { session: 's', node: 'a', resumed: false, heartbeatMs: 15_000, window: 64 };

/** A client whose gateway and edges are played: `sockets` in the order of opening. */
function played(options: Partial<ConnectOptions> = {}) {
  const sockets: Played[] = [];
  const queries: PlacementQuery[] = [];
  const statuses: Status[] = [];
  class Played {
    readonly readyState = 1;
    readonly frames: ClientFrame[] = [];
    onopen?: () => void;
    onmessage?: (event: { data: string }) => void;
    onclose?: (event: { code: number; reason: string }) => void;
    constructor() {
      sockets.push(this);
      queueMicrotask(() => this.onopen?.());
    }
    send(text: string): void {
      this.frames.push(JSON.parse(text));
    }
    close(): void {
      this.onclose?.({ code: 1000, reason: '' });
    }
    say(frame: EdgeFrame): void {
      this.onmessage?.({ data: JSON.stringify(frame) });
    }
    of(kind: ClientFrame['t']): Sent[] {
      return this.frames.filter((frame) => frame.t === kind) as Sent[];
    }
  }
  const placement = async (query: PlacementQuery): Promise<Placement> => {
    queries.push(query);
    const n = queries.length;
    const signed = { pass: `pass${n}.x`, resume: `resume${n}.x` };
    return { url: 'wss://a', node: 'a', ticket: 't', session: 's', expiresInMs: 1, ...signed };
  };
  const client = connect({ placement, WebSocket: Played, random: () => 0.5, ...options });
  client.onStatus((status) => statuses.push(status));
  const last = (): Played => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('nothing has been dialled');
    return socket;
  };
  const begin = async (): Promise<Played> => {
    await vi.advanceTimersByTimeAsync(1_000);
    last().say({ t: 'welcome', ...welcome });
    await vi.advanceTimersByTimeAsync(0);
    return last();
  };
  const told = (type: Status['type']) => statuses.filter((status) => status.type === type);
  return { client, begin, last, queries, statuses, told };
}

let n = 0;
const getToken = () => `token${++n}`;
beforeEach(() => {
  n = 0;
});

it('what the gateway gave goes with hello, and to the gateway when the client comes back', async () => {
  const { client, begin, queries } = played();
  const first = await begin();
  expect(first.of('hello')[0]).toMatchObject({ pass: 'pass1.x' });
  expect(client.resume).toBe('resume1.x');
  first.onclose?.({ code: 1006, reason: '' });
  const second = await begin();
  expect(queries.map(({ session, resume }) => [session, resume])).toEqual([
    [undefined, undefined],
    ['s', 'resume1.x'],
  ]);
  expect(second.of('hello')[0]).toMatchObject({ pass: 'pass2.x' });
  await client.close();
});

it('a token that expires soon is replaced unseen, and the new pass goes with the next hello, in a move too', async () => {
  const { client, begin, last, statuses, queries } = played({ getToken });
  const first = await begin();
  const before = statuses.length;
  first.say({ t: 'expiring', inMs: 5_000 });
  first.say({ t: 'expiring', inMs: 4_000 });
  await vi.advanceTimersByTimeAsync(0);
  const refresh = first.of('refresh');
  expect(refresh).toEqual([{ t: 'refresh', id: expect.any(String), token: 'token2' }]);
  first.say({ t: 'ok', re: refresh[0]?.id ?? '', data: { pass: 'fresh.x' } });
  await vi.advanceTimersByTimeAsync(10_000);
  expect([statuses.length, queries.length]).toEqual([before, 1]);

  const move = { move: 'm', node: 'b', url: 'wss://b', ticket: 't2', reason: 'drain', jitterMs: 0 };
  first.say({ t: 'move', deadlineMs: 30_000, ...move });
  await vi.advanceTimersByTimeAsync(0);
  expect(last().of('hello')[0]).toMatchObject({ pass: 'fresh.x' });
  await client.close();
});

it('a token that cannot be had, or is refused, is asked for again with back-off, and each failure is told', async () => {
  const tokens = [() => 'first', () => Promise.reject(new Error('login is away')), () => 'bad', () => 'good'];
  const { client, begin, told } = played({ getToken: () => tokens.shift()?.() ?? '' });
  const socket = await begin();
  socket.say({ t: 'expiring', inMs: 60_000 });
  await vi.advanceTimersByTimeAsync(0);
  expect(told('refresh-failed')).toMatchObject([{ code: 'get-token-failed', retryInMs: 250 }]);
  await vi.advanceTimersByTimeAsync(250);
  const [bad] = socket.of('refresh');
  expect(bad?.token).toBe('bad');
  socket.say({ t: 'error', re: bad?.id ?? '', code: 'bad-credentials', message: 'no' });
  await vi.advanceTimersByTimeAsync(0);
  expect(told('refresh-failed')[1]).toMatchObject({ code: 'bad-credentials', retryInMs: 500 });
  await vi.advanceTimersByTimeAsync(500);
  expect(socket.of('refresh').map(({ token }) => token)).toEqual(['bad', 'good']);
  await client.close();
});

it('a client that was closed, or has lost its socket, refreshes nothing any more', async () => {
  const { client, begin, told } = played({
    getToken: () => (n++ ? Promise.reject(new Error('away')) : 'first'),
  });
  const socket = await begin();
  socket.say({ t: 'expiring', inMs: 60_000 });
  await vi.advanceTimersByTimeAsync(0);
  expect(told('refresh-failed')).toHaveLength(1);
  await client.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told('refresh-failed')).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

it('a socket that is closed with 4011 is followed by another within a second, with a new token', async () => {
  const { client, begin, queries } = played({ getToken });
  (await begin()).onclose?.({ code: 4011, reason: 'token-expired' });
  await begin();
  expect(queries.map(({ token }) => token)).toEqual(['token1', 'token2']);
  expect(client.state).toBe('connected');
  await client.close();
});

it('a refresh that was not answered before a move is asked of the new socket', async () => {
  const { client, begin, last } = played({ getToken });
  const first = await begin();
  first.say({ t: 'expiring', inMs: 60_000 });
  const move = { move: 'm', node: 'b', url: 'wss://b', ticket: 't2', reason: 'drain', jitterMs: 0 };
  first.say({ t: 'move', deadlineMs: 30_000, ...move });
  await vi.advanceTimersByTimeAsync(0);
  first.say({ t: 'moved', seq: 0, received: 0 });
  last().say({ t: 'welcome', ...welcome, node: 'b' });
  await vi.advanceTimersByTimeAsync(0);
  expect(last().of('refresh')).toEqual(first.of('refresh'));
  await client.close();
});

it.each([
  ['an edge closes with 4503', undefined],
  ['a gateway answers 403 denied', { code: 'denied', message: 'denied until tomorrow' }],
])('%s: the client stops for good, with the code denied', async (_, error) => {
  const fetch = async () => new Response(JSON.stringify({ error }), { status: 403 });
  const { client, begin, told } = played(error ? { placement: undefined, gateway: 'https://m', fetch } : {});
  if (!error) (await begin()).onclose?.({ code: 4503, reason: 'denied' });
  await vi.advanceTimersByTimeAsync(0);
  expect(client.state).toBe('closed');
  expect(told('closed')).toMatchObject([{ error: { code: 'denied' } }]);
});

it('a 403 that is not the mesh’s own is no end: what stands in front of a gateway may say it for a while', async () => {
  const fetch = async () => new Response('blocked', { status: 403 });
  const { client, told } = played({ placement: undefined, gateway: 'https://m', fetch });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(client.state).toBe('connecting');
  expect(told('connect-failed').length).toBeGreaterThan(2);
  await client.close();
});

it('a topic that is taken away is told, its subscribers hear no more, and it does not come back by itself', async () => {
  const { client, begin, told } = played();
  const socket = await begin();
  const heard: unknown[] = [];
  const subscribe = () => client.subscribe('room.1', ({ data }) => heard.push(data));
  const message = (data: string) => socket.say({ t: 'message', topic: 'room.1', id: data, data, at: 1 });
  const subscribed = subscribe();
  socket.say({ t: 'ok', re: socket.of('subscribe')[0]?.id ?? '' });
  const { unsubscribe } = await subscribed;
  message('heard');
  socket.say({ t: 'unsubscribed', topic: 'room.1', reason: 'revoked' });
  message('lost');
  expect(told('unsubscribed')).toEqual([{ type: 'unsubscribed', topic: 'room.1', reason: 'revoked' }]);
  await unsubscribe();
  expect(socket.of('unsubscribe')).toEqual([]);

  const again = subscribe();
  socket.say({ t: 'ok', re: socket.of('subscribe')[1]?.id ?? '' });
  await again;
  message('heard again');
  expect(heard).toEqual(['heard', 'heard again']);
  await client.close();
});

it('a topic that is refused when the client comes back ends, unless its own subscribe is still to be answered', async () => {
  const { client, begin, told } = played();
  const first = await begin();
  const kept = client.subscribe('room.1', () => {});
  first.say({ t: 'ok', re: first.of('subscribe')[0]?.id ?? '' });
  await kept;
  first.onclose?.({ code: 1006, reason: '' });
  const asked = client.subscribe('room.2', () => {});
  const second = await begin();
  expect(second.of('hello')[0]?.topics).toEqual(['room.1', 'room.2']);
  for (const topic of ['room.1', 'room.2'])
    second.say({ t: 'error', code: 'forbidden', message: `you may not subscribe to ${topic}`, topic });
  expect(told('unsubscribed')).toEqual([{ type: 'unsubscribed', topic: 'room.1', reason: 'forbidden' }]);
  second.say({ t: 'error', re: second.of('subscribe')[0]?.id ?? '', code: 'forbidden', message: 'no' });
  await expect(asked).rejects.toMatchObject({ code: 'forbidden', source: 'mesh' });
  await client.close();
});
