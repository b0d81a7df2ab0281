import { BrokerError } from '@evenkeel/publisher';
import { describe, expect, it } from 'vitest';
import { entryOf, keys, served } from '../testing/served.js';

describe('publish', () => {
  it('sends to a user, to several and to a topic, and says whether somebody gets it', async () => {
    const { publish, published } = await served();
    const toUser = await publish({ user: 'alice', event: 'order.created', data: { order: 7 }, id: 'one' });
    expect([toUser.status, toUser.body]).toEqual([202, { id: 'one', routed: true }]);
    const toUsers = await publish({ users: ['bob', 'nobody', 'bob'], data: 1, id: 'two' });
    expect(toUsers.body).toEqual({ id: 'two', routed: false, unrouted: ['nobody'] });
    const toTopic = await publish({ topic: 'prices.demo', data: null });
    expect(toTopic.body).toEqual({ id: expect.stringMatching(/^[\w-]{36}$/), routed: true });
    expect(published).toEqual([
      { to: 'alice', event: 'order.created', data: { order: 7 }, id: 'one' },
      { to: 'bob', event: 'message', data: 1, id: 'two' },
      { to: 'nobody', event: 'message', data: 1, id: 'two' },
      { to: 'topic prices.demo', data: null, id: toTopic.body.id },
    ]);
  });

  it.each([
    [{ data: 1 }, 'give one of user, users and topic'],
    [{ user: 'a', topic: 'b', data: 1 }, 'not user and topic'],
    [{ topic: 'b', event: 'c', data: 1 }, 'event: a topic has no event'],
    [{ user: 'a' }, 'data: is missing'],
    [{ user: 'a', event: 'no words', data: 1 }, 'event: give words'],
    [{ topic: 'prices.#', data: 1 }, 'topic: give words'],
    [{ user: '', data: 1 }, 'user: '],
    [{ user: 'ü'.repeat(49), data: 1 }, 'user: the user id has 98 bytes'],
    [{ users: ['a', '\ud800'], data: 1 }, 'users.1: the user id has a lone surrogate'],
    [{ users: ['a', 'ü'.repeat(48)], event: 'x'.repeat(121), data: 1 }, 'event: is too long for the id of ü'],
    [{ user: 'a', data: 1, id: 'x'.repeat(256) }, 'id: has more than 255 bytes'],
    [{ user: 'a', data: 1, dta: 1 }, '"dta"'],
    [[], 'expected object'],
  ])('refuses %j and says why, and sends nothing', async (body, detail) => {
    const { publish, published } = await served();
    const answer = await publish(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining(detail) });
    expect(published).toEqual([]);
  });
});

describe('a batch', () => {
  it('is published in order, and says of each what became of it', async () => {
    const { ask, published } = await served();
    const messages = [
      { user: 'alice', data: 1, id: 'a' },
      { topic: 'x.y', data: 2, id: 'b' },
      { user: 'nobody', data: 3, id: 'c' },
    ];
    const answer = await ask('/v1/publish/batch', { method: 'POST', body: { messages } });
    expect([answer.status, answer.body]).toEqual([
      202,
      {
        results: [
          { id: 'a', routed: true },
          { id: 'b', routed: true },
          { id: 'c', routed: false },
        ],
      },
    ]);
    expect(published.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('with one message that is wrong is refused as a whole, and names which', async () => {
    const { ask, published } = await served();
    const messages = [{ user: 'alice', data: 1 }, { user: 'alice' }];
    const answer = await ask('/v1/publish/batch', { method: 'POST', body: { messages } });
    expect(answer.body).toMatchObject({
      code: 'bad-request',
      detail: 'messages.1.data: is missing; give null for nothing',
    });
    expect(published).toEqual([]);
  });

  it.each([
    ['a user whose id cannot be carried', { users: ['bob', '\ud800'], data: 1 }, 'messages.1.users.1: '],
    ['data that is nested too deeply', '{"user":"a","data":DEEP}', 'data: is nested deeper than 512'],
  ])('with %s is refused before any is published', async (_, second, detail) => {
    const { ask, published } = await served({ maxBodyBytes: 1_000_000 });
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const text = typeof second === 'string' ? second.replace('DEEP', deep) : JSON.stringify(second);
    const body = `{"messages":[{"user":"alice","data":1},${text}]}`;
    const answer = await ask('/v1/publish/batch', { method: 'POST', body });
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(detail)]);
    expect(published).toEqual([]);
  });

  it('of many messages to many users is on its way a part at a time, in order', async () => {
    let underWay = 0;
    let most = 0;
    const order: unknown[] = [];
    const toUser = async (_user: string, _event: string, data: unknown) => {
      order.push(String(data));
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return { id: 'x', routed: true };
    };
    const { ask } = await served({ maxBodyBytes: 1_000_000 }, { toUser, toTopic: toUser as never });
    const users = Array.from({ length: 1_000 }, (_, n) => `u${n}`);
    const messages = Array.from({ length: 12 }, (_, data) => ({ users, data }));
    const answer = await ask('/v1/publish/batch', { method: 'POST', body: { messages } });
    expect(answer.status).toBe(202);
    expect(most).toBeLessThanOrEqual(2_048);
    expect(order).toEqual(messages.flatMap(({ data }) => users.map(() => String(data))));
  });

  it('says which of its messages have failed, and fails where all have', async () => {
    const failing = async (
      user: string,
      _event: string,
      _data: unknown,
      { id = '' }: { id?: string } = {},
    ) => {
      if (user === 'broken') throw new BrokerError('publish-nacked', 'RabbitMQ refused it.');
      return { id, routed: true };
    };
    const { ask } = await served({}, { toUser: failing, toTopic: async () => ({ id: '', routed: true }) });
    const send = (...users: string[]) =>
      ask('/v1/publish/batch', {
        method: 'POST',
        body: { messages: users.map((user) => ({ user, data: 1, id: user })) },
      });
    expect((await send('alice', 'broken')).body).toEqual({
      results: [
        { id: 'alice', routed: true },
        { id: 'broken', error: { code: 'unavailable', detail: expect.any(String) } },
      ],
    });
    expect(await send('broken', 'broken')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });

  it('counts as many requests as it has messages', async () => {
    const { ask } = await served({ keyRequestsBurst: 10 });
    const body = { messages: Array.from({ length: 6 }, () => ({ user: 'a', data: 1 })) };
    expect((await ask('/v1/publish/batch', { method: 'POST', body })).status).toBe(202);
    expect((await ask('/v1/publish/batch', { method: 'POST', body })).status).toBe(429);
  });
});

describe('an Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'k-1' };

  it('has a repeat get the answer of the first, and nothing published again', async () => {
    const { publish, published } = await served();
    const first = await publish({ user: 'alice', data: 1 }, { headers });
    const repeat = await publish({ user: 'alice', data: 1 }, { headers });
    expect(repeat.body).toEqual(first.body);
    expect([first.headers['idempotency-replayed'], repeat.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(published).toHaveLength(1);
  });

  it('gives the same identity in another process too, so that a repeat there reaches no application twice', async () => {
    const [one, other] = [await served(), await served()];
    const body = {
      messages: [
        { user: 'alice', data: 1 },
        { user: 'alice', data: 1 },
      ],
    };
    const ask = ({ ask: at }: typeof one) => at('/v1/publish/batch', { method: 'POST', body, headers });
    expect((await ask(one)).body).toEqual((await ask(other)).body);
    expect(new Set(one.published.map(({ id }) => id)).size).toBe(2);
  });

  it('of a batch that has failed in part has the repeat publish it again, under the same identities', async () => {
    let isBroken = true;
    const ids: string[] = [];
    const toUser = async (
      user: string,
      _event: string,
      _data: unknown,
      { id = '' }: { id?: string } = {},
    ) => {
      if (user === 'bob' && isBroken) throw new BrokerError('publish-nacked', 'RabbitMQ refused it.');
      ids.push(id);
      return { id, routed: true };
    };
    const { ask } = await served({}, { toUser, toTopic: toUser as never });
    const messages = ['alice', 'bob'].map((user) => ({ user, data: 1 }));
    const send = () => ask('/v1/publish/batch', { method: 'POST', body: { messages }, headers });
    const first = await send();
    expect(first.body.results).toMatchObject([{ routed: true }, { error: { code: 'unavailable' } }]);
    isBroken = false;
    const repeat = await send();
    const [alice, bob] = first.body.results as { id: string }[];
    expect(repeat.body.results).toEqual([
      { id: alice?.id, routed: true },
      { id: bob?.id, routed: true },
    ]);
    expect(ids).toEqual([alice?.id, alice?.id, bob?.id]);
    expect((await send()).headers['idempotency-replayed']).toBe('true');
  });

  it('with another body is refused, and with another key of the API it is another one', async () => {
    const { publish, ask } = await served({
      apiKeys: [entryOf('a', 'publish', 'one'), entryOf('b', 'publish', 'two')],
    });
    expect((await publish({ user: 'alice', data: 1 }, { headers, key: 'one' })).status).toBe(202);
    const other = await publish({ user: 'alice', data: 2 }, { headers, key: 'one' });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency-conflict']);
    const path = await ask('/v1/publish/batch', {
      method: 'POST',
      body: { messages: [{ user: 'a', data: 1 }] },
      headers,
      key: 'one',
    });
    expect(path.status).toBe(422);
    expect((await publish({ user: 'alice', data: 2 }, { headers, key: 'two' })).status).toBe(202);
  });

  it('is forgotten when its time is over; one that cannot be used is refused', async () => {
    const { publish, published, pass } = await served();
    await publish({ user: 'alice', data: 1 }, { headers });
    pass(60_000);
    await publish({ user: 'alice', data: 1 }, { headers });
    expect(published).toHaveLength(2);
    const bad = await publish(
      { user: 'alice', data: 1 },
      { headers: { 'idempotency-key': 'x'.repeat(256) } },
    );
    expect([bad.status, bad.body.code]).toEqual([400, 'bad-idempotency-key']);
  });
});

describe('a refusal', () => {
  it('is a problem with type, title, status, detail and code, wherever it comes from', async () => {
    const { ask, publish } = await served();
    const cases = [
      [404, 'not-found', await ask('/v2/publish')],
      [405, 'method-not-allowed', await ask('/v1/publish')],
      [400, 'bad-json', await publish('{')],
      [415, 'bad-type', await publish('a=b', { headers: { 'content-type': 'text/plain' } })],
      [413, 'too-large', await publish({ user: 'a', data: 'x'.repeat(10_000) })],
      [401, 'no-key', await publish({ user: 'a', data: 1 }, { key: null })],
      [401, 'bad-key', await publish({ user: 'a', data: 1 }, { key: 'wrong' })],
      [403, 'forbidden', await publish({ user: 'a', data: 1 }, { key: keys.viewer })],
    ] as const;
    for (const [status, code, answer] of cases) {
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json']);
      expect(answer.body).toEqual({
        type: `urn:evenkeel:problem:${code}`,
        title: expect.stringMatching(/^\w/),
        status,
        detail: expect.stringMatching(/\w/),
        code,
      });
    }
  });

  it('of a missing key names the scheme, so that programs know how to ask', async () => {
    const { publish } = await served();
    expect((await publish({}, { key: null })).headers['www-authenticate']).toBe('Bearer');
  });
});

describe('limits', () => {
  it('hold for one key and leave the others alone, with when to come back', async () => {
    const { publish, ask, pass, counted } = await served({ keyRequestsPerSecond: 1, keyRequestsBurst: 2 });
    const body = { user: 'a', data: 1 };
    expect([(await publish(body)).status, (await publish(body)).status]).toEqual([202, 202]);
    const refused = await publish(body);
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([
      429,
      'rate-limited',
      '1',
    ]);
    expect((await ask('/v1/publish', { method: 'POST', body, key: keys.viewer })).status).toBe(403);
    pass(1_000);
    expect((await publish(body)).status).toBe(202);
    expect(counted).toContain('limited key');
  });

  it('refuse more requests at the same time than a key may have open, and take the next when one is answered', async () => {
    let confirm = (): void => {};
    const confirmed = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    const toTopic = async () => {
      await confirmed;
      return { id: 'x', routed: true };
    };
    const { publish, counted } = await served({ maxOpenRequests: 2 }, { toTopic, toUser: toTopic });
    const body = { topic: 'a', data: 1 };
    const answers = [publish(body), publish(body), publish(body)];
    const first = await Promise.race(answers);
    expect([first.status, first.body.code, first.headers['retry-after']]).toEqual([
      429,
      'too-many-open',
      '1',
    ]);
    confirm();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([202, 202, 429]);
    expect((await publish(body)).status).toBe(202);
    expect(counted).toContain('limited open');
  });

  it('let an address try a few wrong keys, then a key a second, and a right one all the while', async () => {
    const { publish } = await served();
    const codes = [];
    for (let n = 0; n < 22; n += 1) codes.push((await publish({}, { key: `wrong-${n}` })).body.code);
    expect(codes.slice(0, 20)).toEqual(Array(20).fill('bad-key'));
    expect(codes.slice(20)).toEqual(['rate-limited', 'rate-limited']);
    expect((await publish({ user: 'a', data: 1 })).status).toBe(202);
  });
});

it('serves its contract and the page to anybody, which runs its own files alone', async () => {
  const { ask } = await served();
  const document = await ask('/openapi.json', { key: null });
  expect(document.body).toMatchObject({ openapi: '3.1.1', paths: { '/v1/publish': { post: {} } } });
  for (const path of ['/', '/try.js', '/try.css']) expect((await ask(path, { key: null })).status).toBe(200);
  const page = await ask('/', { key: null });
  expect(page.headers['content-security-policy']).toContain("script-src 'self'");
  expect(page.body.text).not.toMatch(/https?:\/\//);
  for (const path of ['/healthz', '/readyz']) expect((await ask(path, { key: null })).status).toBe(200);
});

describe('topics and users', () => {
  it('are looked at with the scope read, and ended with sessions', async () => {
    const apiKeys = [entryOf('viewer', 'read', 'viewer-key'), entryOf('ender', 'sessions', 'ender-key')];
    const { ask } = await served({ apiKeys });
    const reads = ['/v1/topics/room.1/history', '/v1/topics/room.1/presence', '/v1/users/alice'];
    for (const path of reads) {
      expect((await ask(path, { key: 'viewer-key' })).status).toBe(200);
      expect((await ask(path, { key: 'ender-key' })).body.code).toBe('forbidden');
      expect((await ask(path, { key: null })).body.code).toBe('no-key');
      expect((await ask(path, { key: 'viewer-key', method: 'POST' })).status).toBe(405);
    }
    const path = '/v1/users/alice/disconnect';
    expect((await ask(path, { key: 'viewer-key', method: 'POST' })).body.code).toBe('forbidden');
    const ended = await ask(path, { key: 'ender-key', method: 'POST' });
    expect(ended.body).toEqual({ user: 'alice', sessions: ['all'], complete: true });
  });

  it('are asked with the scope request', async () => {
    const apiKeys = [entryOf('asker', 'request', 'asker-key'), entryOf('viewer', 'read', 'viewer-key')];
    const { ask } = await served({ apiKeys });
    const send = async (body: unknown, key = 'asker-key') =>
      await ask('/v1/users/alice/request', { key, method: 'POST', body });
    const answered = await send({ method: 'q', data: 7 });
    expect([answered.status, answered.body.answers]).toEqual([200, [{ session: 's', data: 7 }]]);
    expect((await send({ method: 'q', data: 7 }, 'viewer-key')).body.code).toBe('forbidden');
    const whole = { method: 'q', data: 1 };
    const wrong = [
      { method: 'q' },
      { ...whole, method: 'q q' },
      { ...whole, want: 'some' },
      { ...whole, x: 1 },
    ];
    for (const body of [...wrong, { ...whole, timeoutMs: 60_001 }])
      expect((await send(body)).body.code).toBe('bad-request');
  });

  it('are named in the path as a URL has it', async () => {
    const { ask } = await served({ apiKeys: [entryOf('viewer', 'read', 'viewer-key')] });
    const user = async (path: string) => (await ask(`/v1/users/${path}`, { key: 'viewer-key' })).body;
    expect(await user('a%2Fb%20%C3%BC')).toMatchObject({ user: 'a/b ü' });
    expect(await user('%ff')).toMatchObject({ code: 'bad-url' });
    expect(await user('a'.repeat(97))).toMatchObject({ code: 'bad-request' });
  });

  it('history takes last or since', async () => {
    const { ask } = await served({ apiKeys: [entryOf('viewer', 'read', 'viewer-key')] });
    const wanted = async (query: string) =>
      (await ask(`/v1/topics/room.1/history${query}`, { key: 'viewer-key' })).body.wanted;
    expect(await wanted('')).toEqual({ last: 100 });
    expect(await wanted('?last=0')).toEqual({ last: 0 });
    expect(await wanted('?since=12-abc')).toEqual({ since: '12-abc' });
  });
});
