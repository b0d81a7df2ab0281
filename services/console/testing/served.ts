import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Log } from '@evenkeel/runtime';
import { onTestFinished } from 'vitest';
import { consoleServer } from '../src/server.js';

type Options = Parameters<typeof consoleServer>[0];

const entryOf = (name: string, role: string, token: string): string =>
  `${name}:${role}:${createHash('sha256').update(token).digest('hex')}`;

export const tokens = { ann: 'ann-token', vic: 'vic-token' } as const;

/** What was asked of the operator. */
interface Asked {
  readonly command: object;
  readonly onBehalfOf: string | undefined;
}

export interface Served {
  readonly port: number;
  readonly asked: Asked[];
  readonly logged: string[];
  /** Moves the console's clock on. */
  pass(ms: number): void;
  /** One request with exactly these headers; `host` is the console's own unless given. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  /** Logs in and gives the cookie. */
  login(token: string): Promise<string>;
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** Undefined where the body is no JSON. */
  readonly code: string | undefined;
}

/** What a script of the page sends along. */
export const scripted = { 'content-type': 'application/json', 'x-evenkeel-console': '1' };

/** A console with the tokens of `ann` (operate) and `vic` (view), whose operator is in memory. */
export async function served({
  config = {},
  operator = {},
}: {
  config?: Partial<Options['config']>;
  operator?: Partial<Options['operator']>;
} = {}): Promise<Served> {
  const asked: Asked[] = [];
  const logged: string[] = [];
  let nowMs = 1_000_000;
  const log = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const pageDir = mkdtempSync(join(tmpdir(), 'evenkeel-console-'));
  onTestFinished(() => rmSync(pageDir, { recursive: true }));
  writeFileSync(join(pageDir, 'index.html'), '<!doctype html><title>console</title>');
  writeFileSync(join(pageDir, 'console.js'), 'export {};');
  const status = { ok: true as const, nodes: [], leader: 'balancer' };
  const { http, page, streams } = consoleServer({
    config: {
      host: '127.0.0.1',
      port: 0,
      trustedHops: 0,
      consoleTokens: [entryOf('ann', 'operate', tokens.ann), entryOf('vic', 'view', tokens.vic)],
      consoleOpen: false,
      consoleHosts: [],
      ...config,
    },
    operator: {
      status: async () => status,
      readiness: () => true,
      execute: async (command, options) => {
        asked.push({ command, onBehalfOf: options?.onBehalfOf });
        return { ok: true };
      },
      ...operator,
    },
    rabbitmq: async () => null,
    metrics: { login: () => {}, command: () => {}, refused: () => {}, limited: () => {} },
    isReady: () => true,
    pageDir,
    now: () => nowMs,
    clock: () => nowMs,
    log: { debug: log, info: log, warn: log, error: log } as unknown as Log,
  });
  page.start();
  await http.start();
  onTestFinished(async () => {
    streams.stop();
    await http.stop();
  });
  const { port } = http;
  const ask: Served['ask'] = (path, options = {}) => send(port, path, options);
  return {
    port,
    asked,
    logged,
    pass: (ms) => {
      nowMs += ms;
    },
    ask,
    login: async (token) => {
      const { headers } = await ask('/api/login', { method: 'POST', headers: scripted, body: { token } });
      return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    },
  };
}

function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: AskOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      text(response).then((all) => {
        const { statusCode: status = 0, headers: got } = response;
        resolve({ status, headers: got, text: all, code: codeIn(all) });
      }, reject);
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

function codeIn(all: string): string | undefined {
  try {
    return (JSON.parse(all) as { error?: { code: string } }).error?.code;
  } catch {
    return undefined;
  }
}
