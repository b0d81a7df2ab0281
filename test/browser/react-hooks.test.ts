import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { build } from 'esbuild';
import { expect, it, onTestFinished, vi } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startTestMesh } from '../support/mesh.js';
import { servePages } from '../support/page-server.js';

const newWindow = useBrowser();
const anyone = { subscribe: 'anyone', publish: 'anyone', request: 'anyone' };
const EVENKEEL_NAMESPACES = JSON.stringify({
  namespaces: {
    room: { ...anyone, relay: true, presence: true, history: { size: 100, seconds: 600 } },
    closed: { ...anyone, subscribe: 'nobody' },
    '*': anyone,
  },
});

interface Seen {
  readonly events: readonly number[];
  readonly messages: readonly (number | string)[];
  readonly errors: readonly string[];
  readonly statuses: readonly string[];
  readonly renders: {
    readonly state?: string;
    readonly topic?: string;
    readonly left?: string;
    readonly users?: readonly string[];
    readonly answer?: {
      readonly state: string;
      readonly parts: readonly string[];
      readonly value?: unknown;
      readonly code?: string;
    };
  };
}

/** The page in the development build of React: only that mounts twice. */
async function serveHooksPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-hooks-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outfile = join(folder, 'hooks.js');
  await build({
    entryPoints: [join(import.meta.dirname, 'pages', 'hooks.js')],
    bundle: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"development"' },
    outfile,
  });
  return await servePages({ '/hooks.bundle.js': outfile });
}

/** The page of alice, a client of bob's and a publisher, on one mesh. */
async function application() {
  const [mesh, origin] = await Promise.all([
    startTestMesh({ edges: 1, env: { EVENKEEL_NAMESPACES } }),
    serveHooksPage(),
  ]);
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'words' });
  onTestFinished(() => publisher.close());
  const bob = connect({ gateway: mesh.gatewayUrl, user: 'bob', storage: false });
  onTestFinished(() => bob.close());
  const page = await (await newWindow()).newPage();
  const sent: { t: string; topic?: string }[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => sent.push(JSON.parse(String(payload)))),
  );
  await page.goto(`${origin}/hooks.html?${new URLSearchParams({ gateway: mesh.gatewayUrl, user: 'alice' })}`);
  const seen = () => page.evaluate<Seen>('seen()');
  const until = (holds: (now: Seen) => void) =>
    vi.waitFor(async () => holds(await seen()), { timeout: 20_000, interval: 50 });
  const show = (...args: unknown[]) => page.evaluate(`show(...${JSON.stringify(args)})`);
  const asked = () => sent.filter(({ t }) => /subscribe$/.test(t)).map(({ t }) => t);
  return { publisher, bob, page, seen, until, show, asked };
}

it('in StrictMode a topic is subscribed once, its past and its messages come once, and it is known who is there', async () => {
  const { publisher, bob, page, seen, until, show, asked } = await application();
  await bob.publish('room.1', 1);
  await show('room.1');
  await until(({ renders, messages }) => {
    expect(renders).toMatchObject({ state: 'connected', topic: 'joined', users: ['alice'] });
    expect(messages).toEqual(['1 (past)']);
  });
  await bob.subscribe('room.1', () => {});
  await page.evaluate('publish(2)');
  await publisher.toUser('alice', 'number', 7);
  await until(({ renders, messages, events }) => {
    expect(renders.users).toEqual(['alice', 'bob']);
    expect(messages).toEqual(['1 (past)', 2]);
    expect(events).toEqual([7]);
  });

  // Another component in its place, and none for a moment, in which messages come.
  await show('room.1', 'b');
  await bob.publish('room.1', 3);
  await until(({ messages }) => expect(messages).toEqual(['1 (past)', 2, 3]));
  await page.evaluate('show()');
  await bob.publish('room.1', 4);
  await show('room.1', 'c');
  await bob.publish('room.1', 5);
  await until(({ messages }) => expect(messages).toEqual(['1 (past)', 2, 3, 4, 5]));
  expect(asked().filter((t) => t === 'unsubscribe')).toEqual([]);

  // Nobody for longer: it is left.
  await page.evaluate('show()');
  await vi.waitFor(() => expect(asked()).toContain('unsubscribe'), { timeout: 20_000, interval: 50 });
  await show('closed.1');
  await until(({ renders }) => expect(renders).toMatchObject({ topic: 'left', left: 'forbidden' }));
  const { errors, statuses } = await seen();
  expect([errors, statuses.filter((type) => type === 'gap')]).toEqual([[], []]);
});

it('a pattern brings the messages of every topic that matches, once each', async () => {
  const { bob, seen, until, show } = await application();
  await show('room.*');
  await until(({ renders }) => expect(renders).toMatchObject({ topic: 'joined' }));
  await bob.publish('room.1', 'one');
  await bob.publish('room.2', 'two');
  await bob.publish('room.2', 'three');
  await until(({ messages }) => expect(messages).toEqual(['one', 'two', 'three']));
  expect((await seen()).errors).toEqual([]);
});

it('an answer in parts grows in its component, is cancelled by a click, and goes when its component goes', async () => {
  const { publisher, page, seen, until, show } = await application();
  const heard: string[] = [];
  await publisher.serve('words.say', async function* ({ data, signal }) {
    const { words, hold } = data as { words: string[]; hold?: string };
    for (const word of words) yield word;
    if (hold === undefined) return words.length;
    // It may be cancelled before it goes on from its last part.
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    heard.push(hold);
    return 0;
  });
  await show('room.2');
  await until(({ renders }) => expect(renders).toMatchObject({ topic: 'joined', answer: { state: 'idle' } }));
  const ask = (question: object) => page.evaluate(`ask(${JSON.stringify(question)})`);
  const answer = (expected: object) => until(({ renders }) => expect(renders.answer).toMatchObject(expected));

  await ask({ words: ['a', 'b', 'c'] });
  await answer({ state: 'done', parts: ['a', 'b', 'c'], value: 3 });
  await ask({ words: ['d'], hold: 'cancelled' });
  await answer({ state: 'asking', parts: ['d'] });
  await page.evaluate('cancel()');
  await answer({ state: 'cancelled', parts: ['d'] });
  await ask({ words: ['e'], hold: 'gone' });
  await answer({ state: 'asking', parts: ['e'] });
  await page.evaluate('show()');
  await vi.waitFor(() => expect(heard).toEqual(['cancelled', 'gone']), { timeout: 20_000, interval: 50 });
  expect((await seen()).errors).toEqual([]);
});

it('a component answers what services ask, with what its newest render knows, until none is there', async () => {
  const { publisher, seen, until, show } = await application();
  const who = (data: object = {}) => publisher.ask('alice', 'who', data);
  await show('room.3');
  await until(({ renders }) => expect(renders).toMatchObject({ topic: 'joined' }));
  expect(await who()).toEqual({ name: 'a', asked: 0 });
  await vi.waitFor(async () => expect(await who()).toMatchObject({ name: 'a', asked: 1 }), {
    timeout: 5_000,
  });
  await expect(who({ fail: true })).rejects.toMatchObject({ code: 'declined' });

  // Another in its place, while services ask: each question has an answer.
  const asking = Promise.all(Array.from({ length: 20 }, () => who()));
  await show('room.3', 'b');
  const names = (await asking).map((answer) => (answer as { name: string }).name);
  expect(names.filter((name) => name !== 'a' && name !== 'b')).toEqual([]);
  await vi.waitFor(async () => expect(await who()).toMatchObject({ name: 'b' }), { timeout: 5_000 });

  await show();
  await vi.waitFor(() => expect(who()).rejects.toMatchObject({ code: 'no-handler' }), { timeout: 5_000 });
  expect((await seen()).errors).toEqual([]);
});
