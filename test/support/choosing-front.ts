import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@evenkeel/local';
import type { Placement } from '@evenkeel/protocol';
import { newSessionId, TicketSigner } from '@evenkeel/ticket';
import type { EdgeMesh, EdgeUnderTest } from './edge.js';
import { secret } from './edge-session.js';

/** An edge behind it. */
export interface Behind {
  readonly edge: EdgeUnderTest;
  readonly boot: string;
  readonly port: number;
}

/**
 * One address for all edges, which chooses by itself which of them a client comes to, as sticky load balancers do; and a gateway
 * that gives everybody a ticket for the edge that the test names.
 */
export class ChoosingFront {
  /** Which edge the n-th connection of a user comes to, from 1. */
  choose: (user: string, n: number) => Behind | undefined = () => undefined;
  /** For which edge the gateway gives tickets. */
  place: Behind | undefined;
  readonly #signer = new TicketSigner([secret]);
  readonly #visits = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  readonly #front: Server;
  readonly #gateway: HttpServer;

  private constructor() {
    this.#front = createServer((client) => this.#accept(client));
    this.#gateway = createHttp((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://gateway');
      const answer = this.#placed(
        searchParams.get('user') ?? '',
        searchParams.get('session'),
        searchParams.get('from'),
      );
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }

  static async start(): Promise<ChoosingFront> {
    const front = new ChoosingFront();
    for (const server of [front.#front, front.#gateway])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  /** What clients dial. */
  get url(): string {
    return `ws://127.0.0.1:${portOf(this.#front)}/ws`;
  }

  get gatewayUrl(): string {
    return `http://127.0.0.1:${portOf(this.#gateway)}`;
  }

  /** Connections of this user so far. */
  visits(user: string): number {
    return this.#visits.get(user) ?? 0;
  }

  /** Starts an edge behind it. */
  async edge(mesh: EdgeMesh, node: string, env: Record<string, string> = {}): Promise<Behind> {
    const port = await freePort();
    const edge = await mesh.edge(node, {
      PORT: String(port),
      PUBLIC_URL: this.url,
      REACHABILITY_URL: 'off',
      ...env,
    });
    return { edge, boot: (await edge.stats()).boot, port };
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    for (const server of [this.#front, this.#gateway]) await new Promise((resolve) => server.close(resolve));
  }

  #placed(uid: string, session: string | null, from: string | null): Placement {
    if (!this.place) throw new Error('name an edge for the gateway first');
    const { edge, boot } = this.place;
    const sid = session ?? newSessionId();
    const ticket = this.#signer.issue({
      uid,
      sid,
      node: edge.node,
      boot,
      epoch: Date.now(),
      expiresAt: Date.now() + 30_000,
      ...(session === null ? { isNew: true } : {}),
      ...(from === null ? {} : { from }),
    });
    return { url: this.url, node: edge.node, ticket, session: sid, expiresInMs: 30_000 };
  }

  #accept(client: Socket): void {
    this.#keep(client);
    client.once('data', (head) => {
      client.pause();
      const user = userOf(head.toString('latin1'));
      const n = this.visits(user) + 1;
      this.#visits.set(user, n);
      const chosen = this.choose(user, n);
      if (!chosen) {
        client.destroy();
        return;
      }
      const upstream = connect(chosen.port, '127.0.0.1', () => {
        upstream.write(head);
        client.pipe(upstream).pipe(client);
      });
      this.#keep(upstream);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port;

/** Whose ticket stands in the request's first line. */
function userOf(head: string): string {
  const [, ticket = ''] = /ticket=([^&\s]+)/.exec(head) ?? [];
  const claims = JSON.parse(Buffer.from(ticket.split('.').at(-2) ?? '', 'base64url').toString() || '{}');
  return String(claims.uid);
}
