import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** How it treats who asks for a WebSocket. */
export type Upgrades = 'refused' | 'unanswered';

/** One address for all edges, by `/e/<node>/…`, that lets plain HTTP through and no WebSocket, as some networks do. */
export class RefusingFront {
  /** Where edges really are: base addresses by node. */
  readonly edges = new Map<string, string>();
  upgrades: Upgrades = 'refused';
  /** Who asked for a WebSocket. */
  refused = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((from, response) => {
      const [, node = '', rest = ''] = /^\/e\/([\w-]+)(\/.*)$/.exec(from.url ?? '') ?? [];
      const to = this.edges.get(node);
      if (to === undefined) return void response.writeHead(404).end();
      const onward = request(`${to}${rest}`, { method: from.method, headers: from.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      from.pipe(onward);
    });
    this.#server.on('upgrade', (_request, socket) => {
      this.refused += 1;
      socket.on('error', () => {});
      if (this.upgrades === 'refused') socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    });
  }

  /** For the running test. */
  static async start(): Promise<RefusingFront> {
    const front = new RefusingFront();
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    onTestFinished(() => {
      front.#server.close();
      front.#server.closeAllConnections();
    });
    return front;
  }

  /** What clients are told to dial. */
  get publicUrl(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/e/{node}/ws`;
  }
}
