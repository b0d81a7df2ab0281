import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Log } from '@evenkeel/runtime';
import { onTestFinished } from 'vitest';
import { WrittenJson } from '../src/contract/written-json.js';
import { apiServer } from '../src/server.js';

type Options = Parameters<typeof apiServer>[0];

/** An entry of `EVENKEEL_API_KEYS`. */
export const entryOf = (name: string, scopes: string, key: string): string =>
  `${name}:${scopes}:${createHash('sha256').update(key).digest('hex')}`;

export const keys = { shop: 'shop-key', viewer: 'viewer-key', asker: 'asker-key' } as const;

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

interface AskOptions {
  readonly method?: string;
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is text. */
  readonly body?: unknown;
}

export interface Served {
  readonly port: number;
  /** What was published, in order. */
  readonly published: { to: string; event?: string; data: unknown; id: string | undefined }[];
  readonly counted: string[];
  /** Moves the clock on. */
  pass(ms: number): void;
  ask(path: string, options?: AskOptions): Promise<Answer>;
  publish(body: unknown, options?: AskOptions): Promise<Answer>;
}

/** An API with the keys of `shop` (publish), `viewer` (read) and `asker` (request), whose publisher is in memory and knows the user `nobody` alone not. */
export async function served(
  config: Partial<Options['config']> = {},
  sends?: Options['sends'],
): Promise<Served> {
  const published: Served['published'] = [];
  const counted: string[] = [];
  let nowMs = 1_000_000;
  const log = () => {};
  const { http } = apiServer({
    config: {
      host: '127.0.0.1',
      port: 0,
      trustedHops: 0,
      apiKeys: [
        entryOf('shop', 'publish', keys.shop),
        entryOf('viewer', 'read', keys.viewer),
        entryOf('asker', 'request', keys.asker),
      ],
      keyRequestsPerSecond: 100,
      keyRequestsBurst: 100,
      maxOpenRequests: 10,
      maxBodyBytes: 10_000,
      idempotencyKeys: 100,
      idempotencyS: 60,
      ...config,
    },
    sends: sends ?? {
      toUser: async (user: string, event: string, data: unknown, { id }: { id?: string } = {}) => {
        published.push({ to: user, event, data: written(data), id });
        return { id: id ?? '', routed: user !== 'nobody' };
      },
      toTopic: async (topic: string, data: unknown, { id }: { id?: string } = {}) => {
        published.push({ to: `topic ${topic}`, data: written(data), id });
        return { id: id ?? '', routed: true };
      },
    },
    topics: {
      past: async (topic, wanted) =>
        new WrittenJson(JSON.stringify({ topic, messages: [], more: false, wanted })),
      members: async (topic) => ({ topic, count: 0, users: [] }),
    },
    users: {
      user: async (user) => ({ user, online: false, sessions: [], nodes: [], complete: true }),
    },
    disconnect: async ({ user, session = 'all' }) => ({ user, sessions: [session], complete: true }),
    place: async ({ user, topic }) => ({ user, topic, sessions: 1 }),
    request: async ({ user, data }) =>
      new WrittenJson(`{"user":"${user}","answers":[{"session":"s","data":${data.text}}],"silent":[]}`),
    metrics: {
      answered: (operation, status) => void counted.push(`${operation} ${status}`),
      limited: (limit) => void counted.push(`limited ${limit}`),
      webhook: () => {},
      published: (outcome, events) => void counted.push(`${outcome} ${events}`),
    },
    isReady: () => true,
    now: () => nowMs,
    log: { debug: log, info: log, warn: log, error: log } as unknown as Log,
  });
  await http.start();
  onTestFinished(() => http.stop());
  const ask: Served['ask'] = (path, options = {}) => send(http.port, path, options);
  return {
    port: http.port,
    published,
    counted,
    pass: (ms) => {
      nowMs += ms;
    },
    ask,
    publish: (body, options = {}) => ask('/v1/publish', { method: 'POST', body, ...options }),
  };
}

/** What the bytes that are published say. */
const written = (data: unknown): unknown => JSON.parse(String(data));

function send(
  port: number,
  path: string,
  { method = 'GET', key = keys.shop, headers = {}, body }: AskOptions,
): Promise<Answer> {
  const all = {
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: all }, (response) => {
      text(response).then((said) => {
        const { statusCode: status = 0, headers: got } = response;
        resolve({ status, headers: got, body: jsonOf(said) });
      }, reject);
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

function jsonOf(said: string): Record<string, unknown> {
  try {
    return JSON.parse(said) as Record<string, unknown>;
  } catch {
    return { text: said };
  }
}
