import { connect } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startTestMesh } from '../support/mesh.js';

const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone' },
    room: { subscribe: 'anyone', publish: 'anyone', relay: true, presence: true, history: { size: 50 } },
  },
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: Record<string, unknown> & { messages?: { position: string; data: unknown }[] };
}

/** A mesh with the API, and what it answers. */
async function meshWithApi() {
  const mesh = await startTestMesh({ api: true, env: { EVENKEEL_NAMESPACES: namespaces } });
  const { url = '', key = '' } = mesh.apiAddress ?? {};
  const ask = async (path: string, method: 'GET' | 'POST' = 'GET', body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said = (await response.json()) as Answer['body'];
    return { status: response.status, type: response.headers.get('content-type'), body: said };
  };
  await eventually(
    'it knows who is there',
    async () => (await ask('/v1/users/nobody')).status === 200,
    20_000,
  );
  await eventually(
    'it has read the history',
    async () => (await ask('/v1/topics/room.x/history')).status === 200,
    20_000,
  );
  return { mesh, ask };
}

function joined(mesh: Mesh, user: string, topic: string, info?: object) {
  const client = connect({ gateway: mesh.gatewayUrl, user, storage: false, ...(info && { info }) });
  onTestFinished(() => client.close());
  const got: { data: unknown; position: string | undefined }[] = [];
  client.topic(topic).on('message', ({ data, position }) => void got.push({ data, position }));
  return { client, got };
}

test('history over HTTP is what clients get, by the same positions, all of it or history-lost', async () => {
  const { mesh, ask } = await meshWithApi();
  const alice = joined(mesh, 'alice', 'room.42');
  await alice.client.ready();
  for (const n of [1, 2, 3, 4, 5])
    await ask('/v1/publish', 'POST', { topic: 'room.42', data: n, id: `m${n}` });
  await eventually('alice has them', () => alice.got.length === 5);
  await eventually('the API has them', async () => {
    const { body } = await ask('/v1/topics/room.42/history?last=1');
    return body.messages?.[0]?.data === 5;
  });

  const last = await ask('/v1/topics/room.42/history?last=2');
  expect(last).toMatchObject({ status: 200, body: { topic: 'room.42', more: false } });
  expect(last.body.messages).toEqual(
    [4, 5].map((n) => ({
      position: alice.got[n - 1]?.position,
      id: `m${n}`,
      at: expect.any(Number),
      data: n,
    })),
  );
  const second = alice.got[1]?.position ?? '';
  const since = await ask(`/v1/topics/room.42/history?since=${second}`);
  expect(since.body.messages?.map(({ data }) => data)).toEqual([3, 4, 5]);
  expect((await ask(`/v1/topics/room.42/history?since=${since.body.position}`)).body.messages).toEqual([]);

  // What the API says is a position for clients too.
  const bob = connect({ gateway: mesh.gatewayUrl, user: 'bob', storage: false });
  onTestFinished(() => bob.close());
  const got: unknown[] = [];
  const { position = '' } = last.body.messages?.[0] ?? {};
  await bob.subscribe('room.42', ({ data }) => void got.push(data), { since: position });
  await eventually('bob has the rest', () => got.length === 1);
  expect(got).toEqual([5]);

  // Who has published it is told as clients are told it.
  await alice.client.publish('room.42', { text: 'hi' });
  await eventually('it is kept', async () => {
    const [message] = (await ask('/v1/topics/room.42/history?last=1')).body.messages ?? [];
    return JSON.stringify(message).includes('"from":{"user":"alice"');
  });

  for (let n = 0; n < 60; n += 10) {
    const messages = Array.from({ length: 10 }, (_, m) => ({ topic: 'room.42', data: n + m }));
    await ask('/v1/publish/batch', 'POST', { messages });
  }
  await eventually('the old are gone', async () => {
    const { status, type, body } = await ask(`/v1/topics/room.42/history?since=${second}`);
    return status === 410 && type === 'application/problem+json' && body.code === 'history-lost';
  });
  for (const other of ['17-AAAAAAAAAA', 'nonsense']) {
    expect((await ask(`/v1/topics/room.42/history?since=${other}`)).body).toMatchObject({
      status: 410,
      code: 'history-lost',
    });
  }
  expect((await ask('/v1/topics/room.42/history?last=1000')).body.messages).toHaveLength(50);
  expect((await ask('/v1/topics/plain.x/history')).body).toMatchObject({ status: 404, code: 'no-history' });
  for (const query of ['last=-1', 'last=1001', 'last=x', 'last=1&since=1-a', 'last=1&last=2', 'lst=1'])
    expect((await ask(`/v1/topics/room.42/history?${query}`)).body).toMatchObject({ code: 'bad-request' });
  expect((await ask('/v1/topics/room.*/history')).body).toMatchObject({ code: 'bad-request' });
});

test('who is in a topic, whether a user is online and where, and an end to it', async () => {
  const { mesh, ask } = await meshWithApi();
  const ann = joined(mesh, 'ann@example.org', 'room.7', { name: 'Ann' });
  await ann.client.ready();
  await eventually('she is there', async () => (await ask('/v1/topics/room.7/presence')).body.count === 1);
  expect((await ask('/v1/topics/room.7/presence')).body).toEqual({
    topic: 'room.7',
    count: 1,
    users: [{ user: 'ann@example.org', sessions: 1, since: expect.any(Number), info: { name: 'Ann' } }],
  });
  expect((await ask('/v1/topics/plain.x/presence')).body).toMatchObject({ status: 404, code: 'no-presence' });

  const second = connect({ gateway: mesh.gatewayUrl, user: 'ann@example.org', storage: false });
  onTestFinished(() => second.close());
  await second.ready();
  const path = `/v1/users/${encodeURIComponent('ann@example.org')}`;
  const { status, body } = await ask(path);
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { user: 'ann@example.org', online: true, since: expect.any(Number), complete: true },
  });
  const sessions = body.sessions as { session: string; node: string }[];
  expect(sessions.map(({ session }) => session).sort()).toEqual([ann.client.session, second.session].sort());
  expect(body.nodes).toEqual([...new Set(sessions.map(({ node }) => node))]);
  expect((await ask('/v1/users/nobody')).body).toEqual({
    user: 'nobody',
    online: false,
    sessions: [],
    nodes: [],
    complete: true,
  });

  // An application puts her into a topic, and takes her out.
  const heard: unknown[] = [];
  ann.client.onMessage(({ topic, data }) => void (topic === 'plain.given' && heard.push(data)));
  const given = { topic: 'plain.given', session: ann.client.session };
  expect(await ask(`${path}/subscribe`, 'POST', given)).toMatchObject({
    status: 200,
    body: { user: 'ann@example.org', topic: 'plain.given', sessions: 1 },
  });
  let n = 0;
  await eventually('she gets its messages', async () => {
    n += 1;
    await ask('/v1/publish', 'POST', { topic: 'plain.given', data: n });
    return heard.length > 0;
  });
  expect(await ask(`${path}/unsubscribe`, 'POST', given)).toMatchObject({ body: { sessions: 1 } });
  expect((await ask(`${path}/subscribe`, 'POST', { topic: 'no topic' })).body).toMatchObject({
    code: 'bad-request',
  });

  // Another user's session is none of this one's.
  const notHers = await ask('/v1/users/bob/disconnect', 'POST', { session: second.session });
  expect(notHers.body).toEqual({ user: 'bob', sessions: [], complete: true });
  const one = await ask(`${path}/disconnect`, 'POST', { session: second.session });
  expect(one).toMatchObject({ status: 200, body: { sessions: [second.session], complete: true } });
  await eventually('one is gone', async () => ((await ask(path)).body.sessions as unknown[]).length === 1);
  const all = await ask(`${path}/disconnect`, 'POST');
  expect(all).toMatchObject({ status: 200, body: { user: 'ann@example.org', complete: true } });
  await eventually('she is offline', async () => (await ask(path)).body.online === false);
  expect((await ask('/v1/users/nobody/disconnect', 'POST')).body).toMatchObject({ sessions: [] });
  expect((await ask('/v1/users/nobody/disconnect', 'POST', { sesion: 'x' })).body).toMatchObject({
    code: 'bad-request',
  });
});
