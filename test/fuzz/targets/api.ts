import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  Answers,
  askClients,
  OperationRoutes,
  operationsOf,
  problemOf,
  refusalOf,
  WrittenJson,
} from '@evenkeel/api/readers';
import { fromUid, isTopic, toUid } from '@evenkeel/protocol';
import { Refusal } from '@evenkeel/runtime';
import { isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';

const maxBodyBytes = 8_192;
/** Longest answer to what is refused, bytes: it names what is wrong, as it was named. */
const longestRefusal = 3 * 16_384;

/** What was published, asked or ordered by the input that is running. */
interface Done {
  readonly to: string;
  readonly data: unknown;
}

/** A request over HTTP: a line with method and path, headers, an empty line, the body. */
export const api: Target = {
  name: 'api',
  about: 'requests to the HTTP API: paths, queries, headers and bodies',
  maxBytes: 16_384,
  words: [
    ...[
      'POST',
      'GET',
      '/v1/publish',
      '/v1/publish/batch',
      '/v1/topics/',
      '/history',
      '/presence',
      '/v1/users/',
      '/disconnect',
    ],
    ...[
      '/subscribe',
      '/unsubscribe',
      '/request',
      '?last=',
      '&since=',
      'content-type: application/json',
      'idempotency-key: ',
    ],
    ...[
      'transfer-encoding: chunked',
      'content-length: 0',
      'user',
      'users',
      'topic',
      'event',
      'data',
      'id',
      'messages',
      'session',
    ],
    ...[
      'method',
      'want',
      'first',
      'all',
      'timeoutMs',
      'alice',
      'room.42',
      'order.created',
      's1',
      '%2F',
      '%',
      '%ff',
    ],
  ],
  async run(input) {
    const { line, headers, body } = requestOf(input);
    const url = urlOf(line.path);
    if (url === undefined) return;
    const done: Done[] = [];
    const routes = routesFor(done);
    if (!routes.has(url.pathname)) return;
    if (!routes.methods(url.pathname).includes(line.method)) return;
    const request = Object.assign(Readable.from(body.length > 0 ? [body] : []), {
      method: line.method,
      headers,
    });
    const response = new Response();
    try {
      await routes.answer(
        request as unknown as IncomingMessage,
        response as unknown as ServerResponse,
        url,
        '192.0.2.1',
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      holds(done.length === 0, 'what is refused does nothing', done);
      holds(
        error.status >= 400 && error.status < 500,
        'what strangers send is no fault of the API',
        error.status,
      );
      const text = JSON.stringify(problemOf(error));
      holds(Buffer.byteLength(text) <= longestRefusal, 'a refusal is bounded', text.length);
      return;
    } finally {
      response.emit('close');
    }
    holds(response.status === 200 || response.status === 202, 'an answer is one', response.status);
    holds(jsonOf(response.text) !== undefined, 'an answer is JSON', response.text);
    asSent(url.pathname, body, done);
  },
};

/** What is done is what the body says, as a plain parser reads it. */
function asSent(path: string, body: Buffer, done: readonly Done[]): void {
  const value = jsonOf(body.toString('utf8'))?.value as Record<string, unknown> | undefined;
  for (const { to } of done) {
    const [kind, name = ''] = splitOnce(to);
    if (kind === 'topic') holds(isTopic(name), 'a topic is one', to);
    else holds(fromUid(toUid(name)) === name, 'a user is one', to);
  }
  if (path === '/v1/publish') {
    const count = new Set((value?.users as string[] | undefined) ?? ['one']).size;
    holds(done.length === count, 'it is published once to each', done.length);
    for (const { data } of done) holds(isSame(data, value?.data), 'data goes on as it was sent', data);
  }
  if (path === '/v1/publish/batch') {
    const messages = value?.messages as { data: unknown; users?: string[] }[];
    const sent = messages.flatMap(({ data, users }) => [...new Set(users ?? ['one'])].map(() => data));
    holds(
      isSame(
        done.map(({ data }) => data),
        sent,
      ),
      'a batch goes on as it was sent, in order',
      sent,
    );
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return [text.slice(0, at), text.slice(at + 1)];
}

const quiet = () => {};

function routesFor(done: Done[]): OperationRoutes {
  const nowMs = 1_000_000;
  const written = (data: unknown): unknown => JSON.parse(String(data));
  const limits = { take: quiet, enter: () => quiet };
  const served = operationsOf(
    {
      sends: {
        toUser: async (user: string, _: string, data: unknown, { id = '' }: { id?: string } = {}) => {
          done.push({ to: `user ${user}`, data: written(data) });
          return { id, routed: true };
        },
        toTopic: async (topic: string, data: unknown, { id = '' }: { id?: string } = {}) => {
          done.push({ to: `topic ${topic}`, data: written(data) });
          return { id, routed: true };
        },
      },
      topics: {
        past: async (topic) => ({ topic, messages: [], more: false }) as never,
        members: async (topic) => ({ topic, count: 0, users: [] }),
      },
      users: { user: async (user) => ({ user, online: false, sessions: [], nodes: [], complete: true }) },
      disconnect: async ({ user, session = 'all' }) => {
        done.push({ to: `user ${user}`, data: session });
        return { user, sessions: [session], complete: true };
      },
      place: async ({ user, topic }) => {
        done.push({ to: `topic ${topic}`, data: user });
        return { user, topic, sessions: 1 };
      },
      request: (asked) =>
        askClients(asked, {
          calls: {
            gather: async ({ body }) => {
              done.push({
                to: `user ${asked.user}`,
                data: body instanceof WrittenJson && JSON.parse(body.text),
              });
              return [];
            },
          },
        }),
      metrics: { answered: quiet, limited: quiet, webhook: quiet, published: quiet },
      now: () => nowMs,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet } as never,
    },
    limits,
  );
  return new OperationRoutes({
    served,
    access: { require: () => ({ name: 'shop', scopes: new Set() }) },
    limits,
    maxBodyBytes,
    answers: new Answers({ maxKeys: 10, maxBytes: 1_000_000, keepMs: 1_000 }),
    refusalOf,
    onAnswered: quiet,
    now: () => nowMs,
  });
}

/** What is written to it. */
class Response extends EventEmitter {
  status = 0;
  text = '';
  statusCode = 0;

  writeHead(status: number): this {
    this.status = status;
    return this;
  }

  end(text = ''): this {
    this.text = text;
    return this;
  }
}

/** As Node's parser hands it over: names of headers in lower case, one value each. */
function requestOf(input: Buffer): {
  readonly line: { readonly method: string; readonly path: string };
  readonly headers: Record<string, string>;
  readonly body: Buffer;
} {
  const end = input.indexOf('\n\n');
  const head = (end < 0 ? input : input.subarray(0, end)).toString('latin1');
  const [first = '', ...lines] = head.split('\n');
  const [method = '', path = ''] = first.split(' ');
  const headers: Record<string, string> = {};
  for (const each of lines) {
    const [, name, value] = /^([\w-]+): *(.*)$/.exec(each) ?? [];
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] ??= value;
  }
  return { line: { method, path }, headers, body: end < 0 ? Buffer.alloc(0) : input.subarray(end + 2) };
}

function urlOf(path: string): URL | undefined {
  const text = `http://service${path}`;
  return path.startsWith('/') && URL.canParse(text) ? new URL(text) : undefined;
}
