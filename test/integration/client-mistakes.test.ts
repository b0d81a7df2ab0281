import type { Client, ClientError } from '@evenkeel/client';
import { describe, expect, it } from 'vitest';
import { type Scripted, scripted } from '../support/scripted-edge-client.js';

/** What newcomers get wrong once they have a client. What `connect` refuses at once is tested beside it, by a table as well. */

// Of code without types, or with wrong ones.
const wrong = <T>(value: unknown): T => value as T;

const calls: [string, (client: Client) => Promise<unknown>, string, string][] = [
  ['subscribes nothing', (c) => c.subscribe(wrong<string>(undefined), () => {}), 'bad-name', 'got undefined'],
  ['subscribes null', (c) => c.subscribe(wrong<string>(null), () => {}), 'bad-name', 'got null'],
  ['subscribes a number', (c) => c.subscribe(wrong<string>(42), () => {}), 'bad-name', 'got 42'],
  ['subscribes a list', (c) => c.subscribe(wrong<string>(['a']), () => {}), 'bad-name', 'got an array'],
  ['subscribes half a pattern', (c) => c.subscribe('room.x#', () => {}), 'bad-name', 'got "room.x#"'],
  [
    'asks a list',
    (c) => c.request(wrong<string>(['echo'])),
    'bad-name',
    'words of [A-Za-z0-9_~-] joined by dots',
  ],
  [
    'publishes to an object',
    (c) => c.publish(wrong<string>({ toString: () => 'a' }), 1),
    'bad-name',
    'got an object',
  ],
  [
    'publishes too much',
    (c) => c.publish('a', 'x'.repeat(70_000)),
    'too-large',
    'at most 65536 bytes; send less',
  ],
  [
    'publishes a BigInt',
    (c) => c.publish('a', { n: 1n }),
    'bad-body',
    'what you publish must be JSON or bytes',
  ],
  [
    'waits less than nothing',
    (c) => c.request('a', 1, { timeoutMs: -5 }),
    'bad-option',
    'timeoutMs must be a number',
  ],
  ['waits for a text', (c) => c.request('a', 1, { timeoutMs: wrong('5s') }), 'bad-option', 'got "5s"'],
  [
    'waits too short',
    (c) => c.ready({ timeoutMs: 1 }),
    'timeout',
    'not connected within 1 ms: nothing has answered yet',
  ],
];

describe('who', () => {
  it.each(calls)('%s is told what is wrong, and the client lives on', async (_, act, code, text) => {
    const { client, connected } = await scripted();
    const refused = await act(client).catch((error: ClientError) => error);
    expect(refused).toMatchObject({ name: 'ClientError', code, message: expect.stringContaining(text) });
    const at = await connected();
    const reply = client.request('still.there');
    at.send({ t: 'ok', re: (await at.take('request')).id, data: 1 });
    expect(await reply).toBe(1);
  });

  it.each([
    ['a pattern', 'order.*', '"order.*"'],
    ['another pattern', '#', '"#"'],
    ['nothing', '', '""'],
    ['a list', ['order'], 'an array'],
  ])('handles events of %s is told at once that no event has that name', async (_, name, shown) => {
    const { client } = await scripted();
    expect(() => client.on(wrong(name), () => {})).toThrow(
      expect.objectContaining({
        code: 'bad-name',
        message: `name must be an event's, or '*', got ${shown}`,
      }),
    );
  });

  type Answer = NonNullable<ReturnType<NonNullable<Scripted['mesh']['answer']>>>;
  const answers: [string, Answer, string, string][] = [
    [
      'a page',
      { status: 200, body: '<!doctype html>' },
      'bad-answer',
      'answered 200 without a placement; is it a gateway?',
    ],
    [
      'something else',
      { status: 200, body: { ok: true } },
      'bad-answer',
      'answered 200 without a placement; is it a gateway?',
    ],
    [
      'nothing there',
      { status: 404, body: '' },
      'http-404',
      '/gateway answered 404 without a placement; is it a gateway?',
    ],
    [
      'a proxy',
      { status: 502, body: 'Bad Gateway' },
      'http-502',
      '/gateway answered 502 without a placement; is it a gateway?',
    ],
  ];

  it.each(answers)(
    'has the address of %s for that of a gateway is told so',
    async (_, answer, code, text) => {
      const { mesh, status } = await scripted();
      mesh.answer = () => answer;
      const { reason, ...failed } = await status('connect-failed');
      expect(failed.code).toBe(code);
      expect(reason).toContain(`${mesh.gateway}/gateway`);
      expect(reason).toContain(text);
      expect(failed.cause).toMatchObject({ message: reason });
    },
  );

  it('has no gateway running is told where it was looked for, and why it was not found', async () => {
    const { client } = await scripted({ gateway: 'http://127.0.0.1:1/' });
    const late = expect(client.ready({ timeoutMs: 1_000 })).rejects;
    await late.toMatchObject({ code: 'timeout', cause: { code: 'unreachable' } });
    await late.toThrow(/1000 ms: http:\/\/127\.0\.0\.1:1\/gateway cannot be reached: fetch failed/);
  });

  it('has a getToken that fails is told that, and not that the gateway is away', async () => {
    const login = () => Promise.reject(new Error('the login page is down'));
    const { mesh, status } = await scripted({ getToken: login });
    expect(await status('connect-failed')).toMatchObject({
      code: 'get-token-failed',
      reason: 'getToken threw: the login page is down',
      cause: { cause: new Error('the login page is down') },
    });
    expect(mesh.lookups).toEqual([]);
  });

  it.each([
    ['no token', 401, 'no-credentials', 'unauthorized'],
    ['a user id that cannot be carried', 400, 'bad-user-id', 'refused'],
  ])(
    'has %s is told what the gateway says, and the client is closed',
    async (_, status, code, closedWith) => {
      const { mesh, client } = await scripted();
      mesh.answer = () => ({ status, body: { error: { code, message: 'do this' } } });
      await expect(client.ready()).rejects.toMatchObject({
        code: closedWith,
        message: 'do this',
        cause: { name: 'LookupError', code, status },
      });
    },
  );
});
