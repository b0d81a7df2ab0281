import { describe, expect, it } from 'vitest';
import { keys, served } from '../testing/served.js';

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
