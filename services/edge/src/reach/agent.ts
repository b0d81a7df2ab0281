import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EdgeNode } from '../node.js';

/** Connections at a time; more are closed at once. */
const maxConnections = 64;
/** Longest that a connection stays open, ms, whatever comes on it. */
const longestMs = 5_000;

export interface Headroom {
  readonly node: Pick<EdgeNode, 'isDraining' | 'cordonedBy' | 'isLowOnMemory'>;
  readonly connections: number;
  readonly capacity: number;
}

/**
 * What HAProxy's `agent-check` reads. `ready` comes along because only it takes back a `drain` said before; the percentage, at
 * least 1, scales the server's weight. An edge that looks whether it is reachable says `up`: it could not be reached otherwise.
 * @see https://docs.haproxy.org/2.6/configuration.html#5.2-agent-check
 */
export function agentLine({ node, connections, capacity }: Headroom): string {
  if (node.isDraining || node.isLowOnMemory || node.cordonedBy === 'operator') return 'drain\n';
  const free = Math.round((100 * (capacity - connections)) / capacity);
  return `ready up ${Math.min(100, Math.max(1, free))}%\n`;
}

/** Answers each TCP connection with {@link agentLine} and closes it. */
export class AgentServer {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(read: () => Headroom) {
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      const late = setTimeout(() => socket.destroy(), longestMs);
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(late);
        this.#open.delete(socket);
      });
      // What it may send is not of interest, but unread it would keep the connection from ending.
      socket.resume();
      socket.end(agentLine(read()));
    });
    this.#server.maxConnections = maxConnections;
  }

  /** @returns the port. @throws Error when it is taken. */
  async start(host: string, port: number): Promise<number> {
    return await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await stopped;
  }
}
