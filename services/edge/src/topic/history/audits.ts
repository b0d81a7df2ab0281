import type { StreamRecord } from '@evenkeel/broker';
import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import { exchanges, topicKey, topicOfKey } from '@evenkeel/protocol';
import { type AuditedStream, type AuditOptions, HistoryAudit } from './audit.js';

/** The first that writes what it confirms to a stream whose leader has changed. */
const mendedIn = 4;
/** Beyond so many that wait the audit misses some: it finds no fault then, and cries in vain of none. */
const maxWaiting = 10_000;

export interface AuditsOptions extends Pick<AuditOptions, 'now' | 'log'> {
  readonly mesh: Pick<Mesh, 'isCluster' | 'ownQueue'> & { readonly consuming: Connection };
  readonly node: string;
  readonly streams: ReadonlyMap<string, AuditedStream>;
}

type Connection = Pick<Mesh['consuming'], 'on' | 'serverVersion'>;

/**
 * An audit for each history, where RabbitMQ needs one: as a cluster, before 4.0. Its messages come a second time, by a queue of this edge:
 * whatever node is lost, another edge's queue is on another one.
 */
export class HistoryAudits {
  readonly #connection: Connection;
  readonly #audits = new Map<string, HistoryAudit>();
  #queue: OwnQueue | undefined;
  #isRunning = false;
  #unlisten: () => void = () => {};

  /** Touches nothing; started after the mesh. */
  constructor({ mesh, node, streams, now, log }: AuditsOptions) {
    this.#connection = mesh.consuming;
    if (!mesh.isCluster || streams.size === 0) return;
    for (const [namespace, stream] of streams) {
      this.#audits.set(namespace, new HistoryAudit({ namespace, stream, now, log }));
    }
    this.#queue = mesh.ownQueue({
      name: `edge.${node}.audit`,
      arguments: { 'x-max-length': maxWaiting },
      bindings: [...streams.keys()].map((namespace) => ({
        exchange: exchanges.events,
        key: topicKey(`${namespace}.#`),
      })),
      prefetch: 1_000,
      isOptional: true,
      onDelivery: (delivery) => {
        delivery.ack();
        this.#of(delivery.key)?.onRouted(delivery);
      },
      onLost: () => {
        for (const audit of this.#audits.values()) audit.forget();
      },
    });
  }

  /** Messages that were routed to a stream and are not in it. */
  get missing(): number {
    let all = 0;
    for (const audit of this.#audits.values()) all += audit.missing;
    return all;
  }

  start(): void {
    const look = () => this.#startWhereNeeded();
    this.#unlisten = this.#connection.on('open', look);
    look();
  }

  async stop(): Promise<void> {
    this.#unlisten();
    for (const audit of this.#audits.values()) audit.stop();
    await this.#queue?.stop();
  }

  onRecord(namespace: string, record: StreamRecord, isMessage: boolean): void {
    this.#audits.get(namespace)?.onRecord(record, isMessage);
  }

  /** What its stream says now need not follow what it has said, and whoever has its topics is told so. */
  onBreak(namespace: string): void {
    this.#audits.get(namespace)?.forget();
  }

  /** Another node may be of another version. */
  #startWhereNeeded(): void {
    const major = Number.parseInt(this.#connection.serverVersion ?? '', 10);
    if (this.#isRunning || !(major < mendedIn)) return;
    this.#isRunning = true;
    for (const audit of this.#audits.values()) audit.start();
    // It is tried until it holds, or is stopped.
    this.#queue?.start().catch(() => {});
  }

  #of(key: string): HistoryAudit | undefined {
    const [namespace = ''] = topicOfKey(key)?.split('.', 1) ?? [];
    return this.#audits.get(namespace);
  }
}
