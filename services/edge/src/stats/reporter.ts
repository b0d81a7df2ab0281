import type { Publisher } from '@evenkeel/broker';
import {
  exchanges,
  type MoveProgress,
  movesKey,
  type NodeState,
  type NodeStats,
  statsKey,
} from '@evenkeel/protocol';
import { EventLoopMonitor } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { Departures } from '../move/departures.js';
import type { Directory } from '../session/directory.js';
import type { SessionTally } from '../session/load.js';
import type { ConnectionCounts } from '../transport/uws/server.js';

const intervalMs = 1_000;
/** Reports on moves are gathered this long. */
const gatherMs = 100;
/** A statistic nobody has taken after this is of no use. */
const expirationMs = 5_000;

export interface ReporterOptions {
  config: EdgeConfig;
  boot: string;
  url: () => string;
  state: () => NodeState;
  counts: ConnectionCounts;
  tally: SessionTally;
  directory: Directory;
  departures: () => Departures;
  publisher: Publisher;
  now: () => number;
}

/** Publishes `node-stats` each second, and at once when asked; and reports on moves. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #loop = new EventLoopMonitor();
  #timer: NodeJS.Timeout | undefined;
  #seq = 0;
  #last = { atMs: 0, delivered: 0, received: 0, bytes: 0, handshakes: 0 };
  #stats: NodeStats | undefined;
  #moves = new Map<string, MoveProgress>();
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#last.atMs = options.now();
  }

  /** The statistics last published. */
  get stats(): NodeStats | undefined {
    return this.#stats;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), intervalMs);
    this.#tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop.stop();
    if (this.#gathering === undefined) return;
    // What ended a drain would else be taken for lost.
    clearTimeout(this.#gathering);
    this.#publishMoves();
  }

  /** Says now what has changed, at a change of state. */
  publishNow(): void {
    if (this.#stats) this.#publish({ ...this.#stats, ...this.#momentary() });
  }

  moved(moves: MoveProgress[]): void {
    for (const progress of moves) this.#moves.set(progress.move, progress);
    this.#gathering ??= setTimeout(() => this.#publishMoves(), gatherMs);
  }

  #publishMoves(): void {
    this.#gathering = undefined;
    const { config, boot, now, publisher } = this.#options;
    const report = { v: 1, node: config.node, boot, at: now(), moves: [...this.#moves.values()] };
    this.#moves = new Map();
    publisher.publish(exchanges.stats, movesKey(config.node), JSON.stringify(report)).catch(() => {});
  }

  #momentary() {
    const { counts, directory, departures, now, state } = this.#options;
    let sessions = 0;
    let detached = 0;
    let unacked = 0;
    for (const session of directory.values()) {
      unacked += session.outbox.unacked;
      if (session.state === 'attached') sessions += 1;
      else if (!session.connection.isOpen) detached += 1;
    }
    this.#seq += 1;
    return {
      seq: this.#seq,
      at: now(),
      state: state(),
      connections: counts.open,
      sessions,
      detached,
      unacked,
      moves: departures().counts,
    };
  }

  #tick(): void {
    const { config, boot, counts, tally, now, url } = this.#options;
    const nowMs = now();
    const seconds = Math.max(0.001, (nowMs - this.#last.atMs) / 1000);
    const per = (value: number, before: number) => Math.round(((value - before) / seconds) * 10) / 10;
    const last = this.#last;
    this.#last = {
      atMs: nowMs,
      delivered: tally.delivered,
      received: tally.received,
      bytes: counts.bytesOut,
      handshakes: tally.welcomed,
    };
    this.#publish({
      v: 1,
      node: config.node,
      url: url(),
      boot,
      version: config.version,
      weight: config.weight,
      capacity: config.capacity,
      ...this.#momentary(),
      deliveredPerSecond: per(tally.delivered, last.delivered),
      receivedPerSecond: per(tally.received, last.received),
      bytesPerSecond: per(counts.bytesOut, last.bytes),
      handshakesPerSecond: per(tally.welcomed, last.handshakes),
      handshakeP99Ms: tally.takeHandshakeP99(),
      ...this.#loop.sample(),
    });
  }

  #publish(stats: NodeStats): void {
    this.#stats = stats;
    const { config, publisher } = this.#options;
    publisher
      .publish(exchanges.stats, statsKey(config.node), JSON.stringify(stats), {
        contentType: 'application/json',
        expiration: expirationMs,
        persistent: false,
      })
      .catch(() => {
        // The next second has newer ones.
      });
  }
}
