import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientError, type ConnectOptions, connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import WebSocket from 'ws';
import type { Case, Seen } from './case.js';

const seen = (got: unknown, right: unknown): Seen => {
  const saw = JSON.stringify(got);
  return { isRight: saw === JSON.stringify(right), saw };
};

/** Closed at the end of the act. */
async function using<T>(options: ConnectOptions, act: (client: Client) => Promise<T>): Promise<T> {
  const client = connect({ WebSocket, storage: false, ...options });
  try {
    return await act(client);
  } finally {
    await client.close();
  }
}

async function codesOf(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const codes: Record<string, number> = {};
  for (const settled of await Promise.allSettled(calls)) {
    const code = settled.status === 'fulfilled' ? 'ok' : (settled.reason as ClientError).code;
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return codes;
}

const rateLimit: Case = {
  name: 'client-queue-over-rate-limit',
  right:
    'all of 900 requests that were made before there was a socket are answered, and 600 subscribers of one topic',
  kind: 'a queue that is larger than what the other side takes at once',
  async run({ gateway, broker }) {
    const publisher = await createPublisher({ amqpUrl: broker.amqpUrl, name: 'rate-limit' });
    try {
      await publisher.serve('limit.echo', ({ data }) => data);
      const codes = await using({ gateway, user: 'limit-1' }, (client) =>
        codesOf(Array.from({ length: 900 }, (_, n) => client.request('limit.echo', n))),
      );
      const topics = await using({ gateway, user: 'limit-2' }, (client) =>
        codesOf(Array.from({ length: 600 }, () => client.subscribe('limit.one', () => {}))),
      );
      return seen([codes, topics], [{ ok: 900 }, { ok: 600 }]);
    } finally {
      await publisher.close();
    }
  },
};

const slowHandler: Case = {
  name: 'client-slow-handler-cut',
  right: 'thirty events at three seconds each, a tenth of what a handler may take, come on one socket (90 s)',
  kind: 'time since the beginning taken for time without progress',
  run: ({ gateway, amqp }) =>
    using({ gateway, user: 'slow' }, async (client) => {
      let handled = 0;
      const statuses: string[] = [];
      client.onStatus(({ type }) => statuses.push(type));
      client.on('n', async () => {
        await sleep(3_000);
        handled++;
      });
      await client.ready();
      for (let n = 0; n < 30; n++) await amqp.publish({ key: 'user.slow.n', body: String(n) });
      await eventually('all are handled', () => handled === 30, 110_000);
      return seen(statuses, ['connecting', 'connected']);
    }),
};

const storedValues = [
  'null',
  '{"session":"not an id!","by":"a"}',
  '{"session":"a2","from":[null],"by":"a"}',
  '[',
];
const impossible: Partial<Record<keyof ConnectOptions, unknown>>[] = [
  { topics: ['x'.repeat(600)] },
  { topics: Array.from({ length: 1_025 }, (_, n) => `t.${n}`) },
  { gateway: 'ws://127.0.0.1:1' },
  { user: '' },
  { handlerTimeoutMs: Number.NaN },
];

const badOptions: Case = {
  name: 'client-bad-options-and-storage',
  right:
    'a stored value that is none is as none; options that can never work are refused by connect(), and end no client later',
  kind: 'what comes from outside is checked where it is used, or nowhere',
  async run({ gateway }) {
    const states = storedValues.map((value) => {
      const storage = { getItem: () => value, setItem: () => {}, removeItem: () => {} };
      return using({ gateway, user: 'stored', storage }, async (client) => {
        await client.ready({ timeoutMs: 10_000 });
        return client.state;
      });
    });
    const codes = impossible.map((options) => {
      try {
        void connect({ gateway, WebSocket, user: 'stored', storage: false, ...(options as object) }).close();
        return 'taken';
      } catch (error) {
        return (error as ClientError).code;
      }
    });
    const right = ['bad-name', 'topic-limit', 'bad-option', 'bad-user-id', 'bad-option'];
    return seen([await Promise.all(states), codes], [storedValues.map(() => 'connected'), right]);
  },
};

const answers: readonly [number, string, OutgoingHttpHeaders][] = [
  [200, 'null', {}],
  [200, '{}', {}],
  [200, '{"status":"maintenance"}', {}],
  [200, '<p>', {}],
  [503, '{}', { 'retry-after': '0' }],
  [503, '{}', { 'retry-after': '' }],
  [503, '{}', {}],
  [429, '{}', { 'retry-after': '2592000' }],
];

const oddGateway: Case = {
  name: 'client-odd-gateway-answer',
  right:
    'whatever answers at the address of the gateway, the client backs off and goes on: 2 to 12 look-ups in 3 s, 1 when it is to wait',
  kind: 'numbers and answers from outside go to timers and code unchecked',
  async run() {
    const lookups = answers.map(async ([status, body, headers]) => {
      let count = 0;
      const server = createServer((_, response) => {
        count++;
        response.writeHead(status, headers).end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        return await using({ gateway, user: 'odd' }, async () => {
          await sleep(3_000);
          return count;
        });
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
    const counts = await Promise.all(lookups);
    const isRight = counts.every((count, n) =>
      n === answers.length - 1 ? count === 1 : count > 1 && count <= 12,
    );
    return { isRight, saw: counts.join() };
  },
};

const infinite: Case = {
  name: 'client-infinite-timeout',
  right: 'Infinity is no limit: the request is answered, and handlers run one after another',
  kind: 'numbers from outside go to timers unchecked',
  async run({ gateway, amqp, broker }) {
    const publisher = await createPublisher({ amqpUrl: broker.amqpUrl, name: 'infinite' });
    try {
      await publisher.serve('infinite.slow', async () => {
        await sleep(300);
        return 'done';
      });
      return await using({ gateway, user: 'infinite', handlerTimeoutMs: Infinity }, async (client) => {
        const got = { reply: '', handled: 0, most: 0, late: 0 };
        let running = 0;
        client.onStatus(({ type }) => {
          if (type === 'handler-timeout') got.late++;
        });
        client.on('n', async () => {
          got.most = Math.max(got.most, ++running);
          await sleep(100);
          running--;
          got.handled++;
        });
        await client.ready();
        got.reply = await client.request<string>('infinite.slow', 1, { timeoutMs: Infinity });
        for (let n = 0; n < 8; n++) await amqp.publish({ key: 'user.infinite.n', body: String(n) });
        await eventually('all are handled', () => got.handled === 8);
        return seen(got, { reply: 'done', handled: 8, most: 1, late: 0 });
      });
    } finally {
      await publisher.close();
    }
  },
};

const unauthorized: Case = {
  name: 'client-unauthorized-too-soon',
  right: 'fresh tokens that are refused for the first two seconds end no client',
  kind: 'a count without a time',
  async run({ gateway }) {
    const one = async (): Promise<string> => {
      const untilMs = performance.now() + 2_000;
      const body = JSON.stringify({ error: { code: 'bad-credentials', message: 'not yet valid' } });
      const request: typeof fetch = async (...given) =>
        performance.now() < untilMs ? new Response(body, { status: 401 }) : fetch(...given);
      let tokens = 0;
      const options = { gateway, fetch: request, user: 'early', getToken: () => `fresh-${tokens++}` };
      return await using(options, async (client) => {
        await client.ready().catch(() => {});
        return client.state;
      });
    };
    return seen(await Promise.all([one(), one(), one()]), ['connected', 'connected', 'connected']);
  },
};

/** What enters a client: options, stored values, answers, limits and times. */
export const clientLifeCases: readonly Case[] = [
  rateLimit,
  badOptions,
  oddGateway,
  infinite,
  unauthorized,
  slowHandler,
];
