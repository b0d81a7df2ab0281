import { join } from 'node:path';
import { type Client, connect, type Status } from '@evenkeel/client';
import type { Placement } from '@evenkeel/protocol';
import { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import WebSocket from 'ws';
import { type Behind, ChoosingFront } from '../support/choosing-front.js';
import { EdgeMesh, range, SessionUnderTest } from '../support/edge.js';
import { JsonLines, python } from '../support/json-lines.js';

let mesh: EdgeMesh;
let front: ChoosingFront;
let a: Behind;
let b: Behind;
let c: Behind;

beforeAll(async () => {
  [mesh, front] = await Promise.all([EdgeMesh.open(), ChoosingFront.start()]);
  [a, b, c] = (await Promise.all(['a', 'b', 'c'].map((node) => front.edge(mesh, node)))) as [
    Behind,
    Behind,
    Behind,
  ];
});
afterAll(async () => {
  await front.close();
  await mesh.close();
});

interface Numbered {
  readonly uid: string;
  /** `<uid>.<sid>` */
  readonly key: string;
  readonly client: Client;
  readonly seen: number[];
  readonly statuses: Status[];
  /** Publishes until told to stop; resolves once all has come. */
  flow(): () => Promise<void>;
}

/** An SDK client at the edge to which the front brings it first. */
async function client(uid: string): Promise<Numbered> {
  front.place = front.choose(uid, 1);
  const seen: number[] = [];
  const statuses: Status[] = [];
  const sdk = connect({ gateway: front.gatewayUrl, user: uid, WebSocket, ackAfterMs: 5 });
  onTestFinished(() => sdk.close());
  sdk.onEvent(({ data }) => void seen.push(Number(data)));
  sdk.onStatus((status) => statuses.push(status));
  await sdk.ready();
  const follow = () => {
    const publishing = flow(uid);
    return async () => {
      const last = await publishing.stop();
      await vi.waitUntil(() => seen.length >= last, { timeout: 10_000 });
      expect(seen).toEqual(range(1, last));
    };
  };
  return { uid, key: `${uid}.${sdk.session}`, client: sdk, seen, statuses, flow: follow };
}

/** Publishes numbers from 1 until it is stopped; that resolves with the last. */
function flow(uid: string): { stop(): Promise<number> } {
  const sent: Promise<void>[] = [];
  const timer = setInterval(() => sent.push(mesh.event({ uid }, sent.length + 1)), 10);
  onTestFinished(() => clearInterval(timer));
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(sent);
    return sent.length;
  };
  return { stop };
}

let moves = 0;
const reconnect = (from: Behind, to: Behind, over: object = {}) => {
  moves += 1;
  const target = { node: to.edge.node, url: front.url, boot: to.boot };
  return mesh.command(from.edge.node, {
    command: 'reconnect',
    move: `m${moves}`,
    to: target,
    deadlineMs: 20_000,
    ...over,
  });
};

interface Figures {
  pinned?: number;
  sessions: number;
  moves: { pending: number; done: number; failed: number };
}
const figures = async ({ edge }: Behind) =>
  (await (await fetch(`${edge.member.opsUrl}/status`)).json()) as Figures;
const until = (at: Behind, holds: (figures: Figures) => boolean) =>
  vi.waitUntil(async () => holds(await figures(at)), { timeout: 15_000, interval: 50 });
const types = ({ statuses }: Numbered) => statuses.map(({ type }) => type).filter((type) => /mov/.test(type));
const again = (times: number) => Array.from({ length: times }, () => ['moving', 'move-failed']).flat();

describe('a front that keeps a client on the edge where it is', () => {
  it('is found out after five tries: the session is pinned, stays as it was, and is tried again after a cordon', async () => {
    front.choose = () => a;
    const kept = await client('kept');
    const stop = kept.flow();
    const before = await figures(a);
    await reconnect(a, b, { sessions: [kept.key] });
    await until(a, ({ pinned }) => pinned === 1);
    expect((await figures(a)).moves.failed).toBeGreaterThan(before.moves.failed);
    expect(front.visits('kept')).toBe(6);
    await expect.poll(() => types(kept)).toEqual(again(5));
    // Told nothing more, and counted as refused.
    await reconnect(a, b, { sessions: [kept.key] });
    await mesh.command('a', { command: 'cordon' });
    await until(a, ({ pinned = 0 }) => pinned === 0);
    expect(front.visits('kept')).toBe(6);
    await mesh.command('a', { command: 'uncordon' });
    front.choose = () => b;
    await reconnect(a, b, { sessions: [kept.key] });
    await vi.waitUntil(() => kept.client.node === 'b', { timeout: 10_000 });
    await stop();
    await kept.client.close();
  });

  it('closes pinned sessions, and only those, when it is told to', async () => {
    front.choose = () => a;
    const [kept, free] = [await client('closed'), await client('free')];
    await reconnect(a, b, { sessions: [kept.key] });
    await until(a, ({ pinned }) => pinned === 1);
    const stop = kept.flow();
    front.choose = () => c;
    await reconnect(a, b, { pinned: 'close', ratePerSecond: 100 });
    await vi.waitUntil(() => kept.client.node === 'c', { timeout: 10_000 });
    expect(kept.statuses.find(({ type }) => type === 'disconnected')).toMatchObject({ code: 4000 });
    await stop();
    expect(free.statuses.map(({ type }) => type)).toEqual(['connecting', 'connected']);
    await until(a, ({ pinned = 0 }) => pinned === 0);
    await Promise.all([kept.client.close(), free.client.close()]);
  });

  it('finds out a bare client when it comes back, and leaves it alone from then on', async () => {
    front.choose = () => a;
    const dial = async (at: Behind) => {
      front.place = at;
      const answer = await fetch(`${front.gatewayUrl}/gateway?user=plain`);
      const { url, ticket, session: sid } = (await answer.json()) as Placement;
      const socket = await RawClient.open(url, ticket, { protocol: undefined });
      const session = new SessionUnderTest('plain', sid);
      await mesh.settled(session, { consumers: 1 });
      return { socket, session };
    };
    const first = await dial(a);
    await reconnect(a, b, { sessions: [first.session.key] });
    expect(await first.socket.closed).toMatchObject({ code: 1012 });
    const { socket, session } = await dial(b);
    await until(a, ({ pinned }) => pinned === 1);
    await reconnect(a, b, { sessions: [session.key] });
    await mesh.event(session, 1);
    await socket.until('its event', () => socket.messages.length === 1);
    expect(socket.isOpen).toBe(true);
    await reconnect(a, b, { pinned: 'close' });
    expect(await socket.closed).toMatchObject({ code: 1012 });
  });
});

describe('a front that chooses anew for each connection', () => {
  it('lets a move through in the end: every event once, in order', async () => {
    front.choose = (_user, n) => (n < 5 ? a : b);
    const lucky = await client('lucky');
    const stop = lucky.flow();
    await reconnect(a, b, { sessions: [lucky.key] });
    await vi.waitUntil(() => lucky.client.node === 'b', { timeout: 10_000 });
    await stop();
    expect(types(lucky)).toEqual([...again(3), 'moving', 'moved']);
    await until(a, ({ pinned = 0, moves: { pending } }) => pinned === 0 && pending === 0);
    await lucky.client.close();
  });

  it('lets a client through in the end that was written from the protocol alone', async () => {
    front.choose = (_user, n) => (n < 4 ? a : b);
    front.place = a;
    const program = join(import.meta.dirname, '..', '..', 'examples', 'python-client', 'evenkeel_client.py');
    const foreign = new JsonLines(python, [program, '--gateway', front.gatewayUrl, '--user', 'foreign']);
    const statuses = () => foreign.lines.filter(({ kind }) => kind === 'status').map(({ status }) => status);
    await foreign.until('connected', () => statuses().includes('connected'));
    const publishing = flow('foreign');
    const { session } = foreign.lines.find(({ status }) => status === 'connected') ?? {};
    await reconnect(a, b, { sessions: [`foreign.${session}`] });
    await foreign.until('moved', () => statuses().includes('moved'));
    const numbers = range(1, await publishing.stop());
    const seen = () => foreign.lines.filter(({ kind }) => kind === 'event').map(({ data }) => data);
    await foreign.until('the last event', () => seen().length >= numbers.length);
    expect(seen()).toEqual(numbers);
    expect(statuses()).toEqual(['connected', ...again(2), 'moving', 'moved']);
  });

  it('may bring a move to a third edge, which takes the session: the move is done', async () => {
    front.choose = (_user, n) => (n === 1 ? a : c);
    const third = await client('third');
    const before = await figures(a);
    const stop = third.flow();
    await reconnect(a, b, { sessions: [third.key] });
    await vi.waitUntil(() => third.client.node === 'c', { timeout: 10_000 });
    await stop();
    await until(a, ({ moves: { done } }) => done > before.moves.done);
    expect(types(third)).toEqual(['moving', 'moved']);
    await third.client.close();
  });

  it('brings a client that comes back after a loss to any edge, which takes its session over', async () => {
    front.choose = (_user, n) => [a, b, c][n % 3];
    const wanderer = await client('wanderer');
    const stop = wanderer.flow();
    const connections = () => wanderer.statuses.filter(({ type }) => type === 'connected').length;
    for (const nth of range(2, 4)) {
      front.cut();
      await vi.waitUntil(() => connections() === nth, { timeout: 15_000 });
    }
    await stop();
    await wanderer.client.close();
  });
});
