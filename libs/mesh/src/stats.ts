import type { Delivery, Publisher } from '@evenkeel/broker';
import {
  exchanges,
  type MeshPolicy,
  type MoveReport,
  meshPolicy,
  moveReport,
  movesKey,
  type NodeStats,
  nodeStats,
  policyKey,
  type SessionsReport,
  sessionsKey,
  sessionsReport,
  statsKey,
} from '@evenkeel/protocol';
import type { QueueHooks } from './control.js';
import { readJson } from './json.js';
import type { OwnQueue, OwnQueueOptions } from './own-queue.js';
import { isSentTo, maySpeakFor } from './sender.js';

/** Older statistics are of no use to anybody. */
const statsExpireMs = 5_000;
/** A plan does not wait longer for a report. */
const movesExpireMs = 30_000;
/** Reports waiting at most; the oldest go first. */
const maxWaiting = 10_000;

/** What arrives on `mesh.stats`. */
export interface StatsListener {
  onStats(stats: NodeStats): void;
  /** Without it, reports on moves are not asked for. */
  onMoves?(report: MoveReport): void;
  /** Without it, reports on sessions are not asked for. */
  onSessions?(report: SessionsReport): void;
  /** Without it, it is not asked how the balancer plans. */
  onPolicy?(policy: MeshPolicy): void;
}

interface Hold {
  /** That it logs in as: the broker vouches for it to whoever receives. */
  readonly user: string | undefined;
  readonly publisher: Publisher;
  ownQueue(options: Omit<OwnQueueOptions, 'isDurable'>): OwnQueue;
}

/** `mesh.stats`: what edges report about themselves. */
export class StatsChannel {
  readonly #mesh: Hold;

  constructor(mesh: Hold) {
    this.#mesh = mesh;
  }

  /** Reports statistics of the edge `stats.node`. */
  async send(stats: NodeStats): Promise<void> {
    await this.#publish(statsKey(stats.node), JSON.stringify(stats), statsExpireMs);
  }

  /** Reports how the moves of the edge `report.node` are getting on. */
  async sendMoves(report: MoveReport): Promise<void> {
    await this.#publish(movesKey(report.node), JSON.stringify(report), movesExpireMs);
  }

  /** Reports which sessions the edge `report.node` has. */
  async sendSessions(report: SessionsReport): Promise<void> {
    await this.#publish(sessionsKey(report.node), JSON.stringify(report), movesExpireMs);
  }

  /** Says how sessions are spread, as the leading balancer alone may. */
  async sendPolicy(policy: MeshPolicy): Promise<void> {
    await this.#publish(policyKey, JSON.stringify(policy), statsExpireMs);
  }

  /** A queue of all that edges report. What is not understood, or not about its sender, is logged and dropped. */
  reports(listener: StatsListener, options: { name: string } & QueueHooks): OwnQueue {
    const keys = [statsKey('*')];
    if (listener.onMoves !== undefined) keys.push(movesKey('*'));
    if (listener.onSessions !== undefined) keys.push(sessionsKey('*'));
    if (listener.onPolicy !== undefined) keys.push(policyKey);
    return this.#mesh.ownQueue({
      arguments: { 'x-max-length': maxWaiting, 'x-overflow': 'drop-head' },
      bindings: keys.map((key) => ({ exchange: exchanges.stats, key })),
      prefetch: 1_000,
      onDelivery: (delivery) => {
        delivery.ack();
        const why = readReport(delivery, listener);
        if (why !== undefined) options.log?.warn({ key: delivery.key, reason: why }, 'report not understood');
      },
      ...options,
    });
  }

  async #publish(key: string, body: string, expireMs: number): Promise<void> {
    const { user: userId, publisher } = this.#mesh;
    const properties = { contentType: 'application/json', expiration: expireMs, persistent: false, userId };
    await publisher.publish(exchanges.stats, key, body, properties);
  }
}

/** Hands a report to `listener`; returns what is wrong with it otherwise. It counts only under its sender's own key. */
export function readReport(
  delivery: Pick<Delivery, 'body' | 'exchange' | 'key' | 'properties'>,
  listener: StatsListener,
): string | undefined {
  if (!isSentTo(delivery, exchanges.stats)) return `it was not sent to ${exchanges.stats}`;
  const { body, key, properties } = delivery;
  const value = readJson(body);
  const sender = { user: properties.userId };
  if (key === policyKey) {
    const policy = meshPolicy.safeParse(value);
    if (!policy.success) return policy.error.message;
    listener.onPolicy?.(policy.data);
    return undefined;
  }
  if (key.startsWith(movesKey(''))) {
    const report = moveReport.safeParse(value);
    if (!report.success) return report.error.message;
    const { node } = report.data;
    if (key !== movesKey(node) || !maySpeakFor(sender, node)) return `it is about ${node}`;
    listener.onMoves?.(report.data);
    return undefined;
  }
  if (key.startsWith(sessionsKey(''))) {
    const report = sessionsReport.safeParse(value);
    if (!report.success) return report.error.message;
    const { node } = report.data;
    if (key !== sessionsKey(node) || !maySpeakFor(sender, node)) return `it is about ${node}`;
    listener.onSessions?.(report.data);
    return undefined;
  }
  const stats = nodeStats.safeParse(value);
  if (!stats.success) return stats.error.message;
  const { node } = stats.data;
  if (key !== statsKey(node) || !maySpeakFor(sender, node)) return `it is about ${node}`;
  listener.onStats(stats.data);
  return undefined;
}
