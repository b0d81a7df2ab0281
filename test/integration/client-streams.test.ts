import type { ScriptedConnection } from '@evenkeel/testkit';
import { expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

/** A stream whose first part has been read. */
async function begun() {
  const s = await scripted();
  const a = await s.connected();
  const stream = s.client.stream('tell', 1);
  const { id: re } = await a.take('request');
  a.send({ t: 'part', seq: 1, re, n: 0, data: null });
  expect(await stream.next()).toEqual({ done: false, value: null });
  return { s, a, stream, re };
}

it('a stream is each part once and in order over the loss of its socket, and is not asked again', async () => {
  const s = await scripted();
  const a = await s.connected();
  const got: unknown[] = [];
  const reading = (async () => {
    for await (const part of s.client.stream('tell', 1)) got.push(part);
  })();
  const { id: re } = await a.take('request');
  a.send({ t: 'part', seq: 1, re, n: 0, data: 'a' });
  a.send({ t: 'part', seq: 2, re, n: 1, data: 'b' });
  s.mesh.target = s.b;
  await expect.poll(() => got.length).toBe(2);
  a.terminate();
  const b = await s.b.next();
  // What comes before its welcome is nothing to the client.
  await b.take('hello');
  b.send({ t: 'part', seq: 1, re, n: 1, data: 'b', redelivered: true });
  b.send({ t: 'part', seq: 2, re, n: 2, data: 'c' });
  b.send({ t: 'ok', seq: 3, re, parts: 3 });
  await reading;
  expect(got).toEqual(['a', 'b', 'c']);
  expect(b.all('request')).toEqual([]);
});

it('a stream that nobody reads is cancelled, and ends after what was kept', async () => {
  const s = await scripted();
  const a = await s.connected();
  const stream = s.client.stream('tell', 1);
  const { id: re } = await a.take('request');
  for (let n = 0; n <= 10_000; n += 1) a.send({ t: 'part', seq: n + 1, re, n, data: n });
  expect(await a.take('cancel')).toMatchObject({ re });
  const got: unknown[] = [];
  await expect(
    (async () => {
      for await (const part of stream) got.push(part);
    })(),
  ).rejects.toMatchObject({ code: 'unread' });
  expect(got).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
});

it('what was cancelled while nobody was connected is told to the next edge', async () => {
  const { s, a, stream, re } = await begun();
  s.mesh.target = s.b;
  a.terminate();
  await s.status('disconnected');
  await stream.return();
  const b = await s.b.next();
  await b.take('hello');
  expect(await b.take('cancel')).toMatchObject({ re });
});

it('a stream that is left early is cancelled, and over', async () => {
  const { a, stream, re } = await begun();
  expect(await stream.return()).toEqual({ done: true, value: undefined });
  expect(await a.take('cancel')).toMatchObject({ re });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

it.each([
  {
    why: 'the queue with the rest of it is lost',
    back: (b: ScriptedConnection) => {
      b.welcome({ resumed: false });
      b.send({ t: 'gap', reason: 'session-expired' });
    },
  },
  {
    why: 'another tab has taken its session',
    back: (b: ScriptedConnection) => b.welcome({ session: 'another' }),
  },
])('a stream that has begun ends where $why', async ({ back }) => {
  const { s, a, stream } = await begun();
  s.mesh.target = s.b;
  s.b.defaults.welcome = false;
  a.terminate();
  const b = await s.b.next();
  await b.take('hello');
  back(b);
  await expect(stream.next()).rejects.toMatchObject({ code: 'parts-missing' });
});
