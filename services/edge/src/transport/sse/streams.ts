import { randomBytes } from 'node:crypto';
import type { TicketClaims } from '@evenkeel/ticket';
import type { ConnectionCounts } from '../counts.js';
import { type ByteStream, SseConnection, type SseConnectionOptions } from './connection.js';
import { frameText } from './text.js';

export interface SseStreamsOptions
  extends Pick<SseConnectionOptions, 'highWatermarkBytes' | 'maxBufferedBytes' | 'maxPayloadBytes' | 'now'> {
  readonly node: string;
  readonly heartbeatMs: number;
  readonly counts: ConnectionCounts;
  /** As {@link SseConnectionOptions.onGone}. */
  onGone: SseConnectionOptions['onGone'];
}

/**
 * Heartbeats without a word of the client, after which it counts as lost, as on a WebSocket: it is to say something once in two. Timers of
 * hidden pages run once a minute, but a comment, which comes once a heartbeat, wakes them.
 */
const silentHeartbeats = 2.5;
/** How often it is looked for such clients in a heartbeat, so that none is noticed much later. */
const looksPerHeartbeat = 10;
const nudgeMs = 4_000;

/** The connections by server-sent events of this edge: who posts for which, and who gets a topic. */
export class SseStreams {
  readonly #options: SseStreamsOptions;
  readonly #byId = new Map<string, SseConnection>();
  readonly #subscribers = new Map<string, Set<SseConnection>>();
  #heart: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #nudging: NodeJS.Timeout | undefined;

  constructor(options: SseStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Begins at once. */
  start(): void {
    const { heartbeatMs } = this.#options;
    this.#heart = setInterval(() => {
      for (const connection of [...this.#byId.values()]) connection.comment();
    }, heartbeatMs);
    this.#looking = setInterval(() => this.#look(), heartbeatMs / looksPerHeartbeat);
    this.#nudging = setInterval(() => {
      for (const connection of [...this.#byId.values()]) connection.nudge();
    }, nudgeMs);
  }

  /** Ends what is still open. */
  stop(): void {
    clearInterval(this.#heart);
    clearInterval(this.#looking);
    clearInterval(this.#nudging);
    for (const connection of [...this.#byId.values()]) connection.giveUp();
  }

  /** A client has been let in, whose answer `stream` is. */
  open(stream: ByteStream, claims: TicketClaims, address: () => string): SseConnection {
    const connection = new SseConnection({
      ...this.#options,
      // Named by its edge, so that what is in front can bring posts there; nobody can guess the rest.
      id: `${this.#options.node}.${randomBytes(18).toString('base64url')}`,
      claims,
      address,
      stream,
      topics: {
        add: (topic, each) => this.#add(topic, each),
        delete: (topic, each) => this.#delete(topic, each),
      },
      onGone: (gone, code, isFromHere) => {
        this.#byId.delete(gone.id);
        this.#options.onGone(gone, code, isFromHere);
      },
    });
    this.#byId.set(connection.id, connection);
    connection.begin();
    return connection;
  }

  /** Whose posts these are. `elsewhere`: of another edge. */
  find(id: string): SseConnection | 'unknown' | 'elsewhere' {
    const found = this.#byId.get(id);
    if (found) return found;
    return id.slice(0, id.indexOf('.')) === this.#options.node ? 'unknown' : 'elsewhere';
  }

  /** Sends `frame` to every subscriber of `topic`; to how many. */
  publish(topic: string, frame: string): number {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return 0;
    const bytes = Buffer.from(frameText(frame));
    for (const connection of [...subscribers]) connection.offer(bytes);
    return subscribers.size;
  }

  #look(): void {
    const { now, heartbeatMs } = this.#options;
    const silentSinceMs = now() - silentHeartbeats * heartbeatMs;
    for (const connection of [...this.#byId.values()])
      if (connection.heardAtMs < silentSinceMs) connection.giveUp();
  }

  #add(topic: string, connection: SseConnection): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers) subscribers.add(connection);
    else this.#subscribers.set(topic, new Set([connection]));
  }

  #delete(topic: string, connection: SseConnection): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers?.delete(connection) && subscribers.size === 0) this.#subscribers.delete(topic);
  }
}
