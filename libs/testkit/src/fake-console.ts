import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';

export interface FakeConsoleOptions {
  /** The built page. */
  readonly pageDir: string;
  /** Whoever is logged in. Default: one who may operate. */
  readonly me?: { readonly name: string; readonly role: 'view' | 'operate'; readonly isOpen: boolean };
  /** What `GET` of a path under `/api` answers; undefined: 404. */
  readonly look?: (path: string) => object | undefined;
  /** What a command is answered. */
  readonly command?: (command: Readonly<Record<string, unknown>>) => object;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const operator = { name: 'ann', role: 'operate', isOpen: false } as const;

/** Serves the console's page with an API of which a test says everything: states that a real mesh is seldom in, and many nodes. */
export class FakeConsole {
  /** Commands that have come, oldest first. */
  readonly commands: Readonly<Record<string, unknown>>[] = [];
  readonly #server: Server;
  readonly #options: FakeConsoleOptions;
  readonly #streams = new Set<ServerResponse>();
  #last: string | undefined;

  private constructor(options: FakeConsoleOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(options: FakeConsoleOptions): Promise<FakeConsole> {
    const fake = new FakeConsole(options);
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Whether a page follows the stream. */
  get isWatched(): boolean {
    return this.#streams.size > 0;
  }

  /** Sends a view to whoever follows, and to those who come later. */
  push(view: object): void {
    const me = this.#options.me ?? operator;
    this.#last = `data: ${JSON.stringify({ me, at: Date.now(), broker: { isConnected: true }, ...view })}\n\n`;
    for (const stream of this.#streams) stream.write(this.#last);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://console').pathname;
    if (path === '/api/stream') return this.#follow(response);
    if (path.startsWith('/api/')) return this.#api(request, response, path);
    const file = path === '/' ? 'index.html' : basename(path);
    try {
      const body = await readFile(join(this.#options.pageDir, file));
      response.writeHead(200, { 'content-type': contentTypes[extname(file)] ?? 'text/plain' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  #follow(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(this.#last ?? ':\n\n');
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
  }

  async #api(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const { me = operator, look, command } = this.#options;
    let answer: object | undefined;
    if (path === '/api/me') answer = me;
    else if (request.method === 'POST') {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const sent = JSON.parse(text) as Record<string, unknown>;
      this.commands.push(sent);
      answer = command?.(sent) ?? { ok: true };
    } else answer = look?.(path);
    const refusal = { error: { code: 'not-found', message: `Nothing is known of ${path}.` } };
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? refusal));
  }
}
