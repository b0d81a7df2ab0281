import type { StatsChannel } from '@evenkeel/mesh';
import type { AmqpFigures, NodeStats } from '@evenkeel/protocol';
import { EventLoopMonitor, RecentQuantile } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { OperatorSettings } from '../control/operator-settings.js';
import type { MoveLedger } from '../move/ledger.js';
import type { EdgeNode } from '../node.js';
import type { Rehoming } from '../queue/rehoming.js';
import type { Directory, Listed } from '../session/directory.js';
import type { Load } from '../session/load.js';
import type { SessionState } from '../session/states.js';
import type { Connection } from '../transport/connection.js';
import type { ConnectionCounts } from '../transport/counts.js';

const intervalMs = 1_000;
/** How many of the last reports the time from publishing to the socket goes by: one event in eight is measured. */
const recentReports = 10;
/** Reports on moves are gathered this long. */
const gatherMs = 100;

/** A session as it is counted. */
interface Countable extends Listed {
  readonly state: SessionState;
  readonly connection: Pick<Connection, 'isOpen'>;
  readonly outbox: { readonly unacked: number };
  readonly pin: { readonly isHeld: boolean };
}

export interface ReporterOptions {
  config: Pick<EdgeConfig, 'version'>;
  set: Pick<OperatorSettings, 'weight' | 'live'>;
  room: { readonly capacity: number };
  node: EdgeNode;
  channel: Pick<StatsChannel, 'send' | 'sendMoves'>;
  counts: ConnectionCounts;
  load: Load;
  entrance: { readonly waitedMs: number };
  directory: Pick<Directory<Countable>, 'values'>;
  ledger: MoveLedger;
  rehoming: Pick<Rehoming, 'brokers' | 'leaving'>;
  /** Connections to RabbitMQ. */
  amqp(): Iterable<readonly [string, Pick<AmqpFigures, 'isBlocked' | 'recovering'>]>;
  /** For rates, and for what tickets are judged by. */
  now(): number;
  /** The host's. */
  wallNow(): number;
}

/** Publishes `node-stats` each second, and at once at a change of state; and reports on moves. */
export class Reporter {
  readonly #options: ReporterOptions;
  #loop: EventLoopMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seq = 0;
  #last = { atMs: 0, delivered: 0, received: 0, bytes: 0, handshakes: 0 };
  #stats: NodeStats | undefined;
  #gathering: NodeJS.Timeout | undefined;
  readonly #toSocket: RecentQuantile;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#toSocket = new RecentQuantile(options.load.publishDelays.toSocket, recentReports);
  }

  /** The statistics last published; undefined before the start. */
  get stats(): NodeStats | undefined {
    return this.#stats;
  }

  start(): void {
    const { node, ledger, now } = this.#options;
    this.#loop = new EventLoopMonitor();
    this.#last.atMs = now();
    node.onChange(() => this.#publishNow());
    ledger.onChange(() => {
      this.#gathering ??= setTimeout(() => this.#publishMoves(), gatherMs);
    });
    this.#timer = setInterval(() => this.#tick(), intervalMs);
    this.#tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop?.stop();
    if (this.#gathering === undefined) return;
    // What ended a drain would else be taken for lost.
    clearTimeout(this.#gathering);
    this.#publishMoves();
  }

  #publishNow(): void {
    if (this.#stats) this.#publish({ ...this.#stats, ...this.#momentary() });
  }

  #publishMoves(): void {
    this.#gathering = undefined;
    const { node, ledger, now, channel } = this.#options;
    const report = { v: 1 as const, node: node.name, boot: node.boot, at: now(), moves: ledger.take() };
    channel.sendMoves(report).catch(() => {
      // The balancer asks again for what it has not heard of.
    });
  }

  #momentary() {
    const { node, room, set, counts, directory, ledger, load, rehoming, amqp, now, wallNow } = this.#options;
    let sessions = 0;
    let detached = 0;
    let pinned = 0;
    let unacked = 0;
    for (const session of directory.values()) {
      unacked += session.outbox.unacked;
      if (session.state === 'attached') {
        sessions += 1;
        if (session.pin.isHeld) pinned += 1;
      } else if (!session.connection.isOpen) detached += 1;
    }
    this.#seq += 1;
    return {
      seq: this.#seq,
      at: wallNow(),
      steadyAt: now(),
      state: node.state,
      weight: set.weight,
      capacity: room.capacity,
      live: set.live,
      gaps: load.gaps.total,
      amqp: troubles(amqp()),
      reachable: node.isReachable,
      memory: node.memory,
      connections: counts.open,
      sessions,
      detached,
      // Taken back from the last statistics too, which these are spread over.
      pinned: pinned > 0 ? pinned : undefined,
      unacked,
      moves: ledger.counts,
      brokers: rehoming.brokers,
      leaving: rehoming.leaving,
    };
  }

  #tick(): void {
    const { config, node, counts, load, entrance, now } = this.#options;
    if (!this.#loop) return;
    const toSocket = this.#toSocket.sample(0.99);
    const nowMs = now();
    const seconds = Math.max(0.001, (nowMs - this.#last.atMs) / 1000);
    const per = (value: number, before: number) => Math.round(((value - before) / seconds) * 10) / 10;
    const last = this.#last;
    this.#last = {
      atMs: nowMs,
      delivered: load.delivered,
      received: load.received,
      bytes: counts.bytesOut,
      handshakes: load.welcomed,
    };
    this.#publish({
      v: 1,
      node: node.name,
      url: node.url,
      boot: node.boot,
      ticketParts: 3,
      version: config.version,
      ...this.#momentary(),
      deliveredPerSecond: per(load.delivered, last.delivered),
      receivedPerSecond: per(load.received, last.received),
      bytesPerSecond: per(counts.bytesOut, last.bytes),
      handshakesPerSecond: per(load.welcomed, last.handshakes),
      // Also of those that have not come in at all.
      handshakeP99Ms: Math.max(load.takeHandshakeP99(), entrance.waitedMs),
      publishToSocketP99Ms: toSocket === undefined ? undefined : Math.round(toSocket * 10_000) / 10,
      ...this.#loop.sample(),
    });
  }

  #publish(stats: NodeStats): void {
    this.#stats = stats;
    this.#options.channel.send(stats).catch(() => {
      // The next second has newer ones.
    });
  }
}

/** What is wrong between this edge and RabbitMQ, of all connections together. */
function troubles(connections: ReturnType<ReporterOptions['amqp']>): NodeStats['amqp'] {
  let isBlocked = false;
  let recovering = 0;
  for (const [, figures] of connections) {
    isBlocked ||= figures.isBlocked;
    recovering += figures.recovering;
  }
  if (!isBlocked && recovering === 0) return undefined;
  return { ...(isBlocked && { isBlocked }), ...(recovering > 0 && { recovering }) };
}
