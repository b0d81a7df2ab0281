import { expect, it } from 'vitest';
import { connect } from './core.js';
import type { ConnectOptions } from './options.js';

class NoSocket {
  readonly readyState = 0;
  send(): void {}
  close(): void {}
}
/** Never finds an edge, and asks nobody. */
const placement = () => new Promise<never>(() => {});
const fine = { placement, WebSocket: NoSocket, storage: false } as const;

const refusals: [string, unknown, string, string][] = [
  ['nothing at all', {}, 'bad-option', 'gateway must be an http(s) URL, got undefined'],
  ['an empty gateway', { gateway: '' }, 'bad-option', 'gateway must be an http(s) URL'],
  ['a gateway without a scheme', { gateway: '127.0.0.1:8080' }, 'bad-option', 'got "127.0.0.1:8080"'],
  ['a host and a port', { gateway: 'localhost:8080' }, 'bad-option', 'got "localhost:8080"'],
  [
    'the address of an edge',
    { gateway: 'ws://127.0.0.1:8101/ws' },
    'bad-option',
    'got "ws://127.0.0.1:8101/ws"',
  ],
  ['a gateway with a query', { gateway: 'https://a/?x=1' }, 'bad-option', 'gateway must be an http(s) URL'],
  ['a gateway with a password', { gateway: 'https://u:p@a' }, 'bad-option', 'gateway must be an http(s) URL'],
  ['a list of gateways', { gateway: ['https://a'] }, 'bad-option', 'got an array'],
  ['no user', { ...fine, user: null }, 'bad-user-id', 'user must be a text that is not empty, got null'],
  ['an empty user', { ...fine, user: '' }, 'bad-user-id', 'got ""'],
  ['a number for a user', { ...fine, user: 42 }, 'bad-user-id', 'got 42'],
  ['an object for a user', { ...fine, user: { id: 1 } }, 'bad-user-id', 'got an object'],
  [
    'a session that is no id',
    { ...fine, session: 'a b' },
    'bad-option',
    'session must be [A-Za-z0-9_-]{1,64}, got "a b"',
  ],
  [
    'null for a token',
    { ...fine, token: null },
    'bad-option',
    'token must be a text that is not empty, got null',
  ],
  [
    'a token for getToken',
    { ...fine, getToken: 'abc' },
    'bad-option',
    'getToken must be a function, got "abc"',
  ],
  [
    'an instance for WebSocket',
    { ...fine, WebSocket: new NoSocket() },
    'no-websocket',
    'pass a class as WebSocket',
  ],
  ['one text for topics', { ...fine, topics: 'news' }, 'bad-option', 'topics must be a list, got "news"'],
  ['a list of lists for topics', { ...fine, topics: ['a', ['b']] }, 'bad-name', 'got an array'],
  ['a wildcard for a topic', { ...fine, topics: ['room.*'] }, 'bad-name', 'got "room.*"'],
  ['a long name', { ...fine, topics: ['x'.repeat(600)] }, 'bad-name', 'at most 200 bytes'],
  [
    'too many topics',
    { ...fine, topics: Array.from({ length: 1_025 }, (_, n) => `t.${n}`) },
    'topic-limit',
    'topics must be at most 1024',
  ],
  [
    'no time for handlers',
    { ...fine, handlerTimeoutMs: 0 },
    'bad-option',
    'handlerTimeoutMs must be a number from 1 to 1200000, or Infinity, got 0',
  ],
  ['longer than an edge waits', { ...fine, handlerTimeoutMs: 3_600_000 }, 'bad-option', 'got 3600000'],
  ['no number for a time', { ...fine, handlerTimeoutMs: Number.NaN }, 'bad-option', 'got NaN'],
  ['a text for a time', { ...fine, handlerTimeoutMs: '30s' }, 'bad-option', 'got "30s"'],
  [
    'no calls at all',
    { ...fine, maxPending: 0 },
    'bad-option',
    'maxPending must be a number from 1, or Infinity, got 0',
  ],
  [
    'a backoff that is a hot loop',
    { ...fine, backoff: { minMs: 0 } },
    'bad-option',
    'backoff.minMs must be a number from 1',
  ],
  [
    'a negative backoff',
    { ...fine, backoff: { maxMs: -1 } },
    'bad-option',
    'backoff.maxMs must be a number from 1',
  ],
];

it.each(refusals)(
  'connect() with %s is refused at once, and says what is needed',
  (_, options, code, text) => {
    let thrown: unknown;
    try {
      connect(options as ConnectOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'ClientError', code, message: expect.stringContaining(text) });
  },
);

it.each([
  [
    'what is left undefined',
    { token: undefined, getToken: undefined, user: undefined, session: undefined, topics: undefined },
  ],
  ['no limit at all', { handlerTimeoutMs: Infinity, maxPending: Infinity, ackAfterMs: 0 }],
  ['as long as an edge waits', { handlerTimeoutMs: 1_200_000 }],
  ['as many topics as there may be', { topics: Array.from({ length: 1_024 }, (_, n) => `t.${n}`) }],
  [
    'a base address with a path',
    { placement: undefined, gateway: 'https://a.example/mesh/', fetch: placement },
  ],
])('connect() with %s is fine', async (_, options) => {
  const client = connect({ ...fine, ...(options as Partial<ConnectOptions>) });
  expect(client.state).toBe('connecting');
  await client.close();
});
