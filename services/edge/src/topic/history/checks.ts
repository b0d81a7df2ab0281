import type { StreamRecord } from '@evenkeel/broker';
import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import { exchanges, namespaceOfKey, topicKey } from '@evenkeel/protocol';
import { type CheckedStream, type CheckOptions, HistoryCheck } from './check.js';

/** Beyond so many that wait the check misses some: it finds no fault then, and cries in vain of none. */
const maxWaiting = 10_000;

export interface ChecksOptions extends Pick<CheckOptions, 'now' | 'log'> {
  readonly mesh: Pick<Mesh, 'ownQueue'> & { readonly consuming: Connection };
  readonly node: string;
  readonly streams: ReadonlyMap<string, CheckedStream>;
}

type Connection = Pick<Mesh['consuming'], 'on' | 'mayMissStreams'>;

/**
 * A check for each history, where RabbitMQ needs one: as a cluster, before 4.0. Its messages come a second time, by a queue of this edge:
 * whatever node is lost, another edge's queue is on another one.
 */
export class HistoryChecks {
  readonly #options: ChecksOptions;
  readonly #connection: Connection;
  readonly #checks = new Map<string, HistoryCheck>();
  #queue: OwnQueue | undefined;
  #unlisten: () => void = () => {};

  /** Touches nothing; started after the mesh. */
  constructor(options: ChecksOptions) {
    const { mesh, streams, now, log } = options;
    this.#options = options;
    this.#connection = mesh.consuming;
    for (const [namespace, stream] of streams) {
      this.#checks.set(namespace, new HistoryCheck({ namespace, stream, now, log }));
    }
  }

  /** Messages that were routed to a stream and are not in it. */
  get missing(): number {
    let all = 0;
    for (const check of this.#checks.values()) all += check.missing;
    return all;
  }

  start(): void {
    const look = () => this.#startWhereNeeded();
    this.#unlisten = this.#connection.on('open', look);
    look();
  }

  async stop(): Promise<void> {
    this.#unlisten();
    for (const check of this.#checks.values()) check.stop();
    await this.#queue?.stop();
  }

  onRecord(namespace: string, record: StreamRecord, isMessage: boolean): void {
    this.#checks.get(namespace)?.onRecord(record, isMessage);
  }

  /** What its stream says now need not follow what it has said, and whoever has its topics is told so. */
  onBreak(namespace: string): void {
    this.#checks.get(namespace)?.forget();
  }

  /** Another node may be of another version. */
  #startWhereNeeded(): void {
    const isNeeded = this.#checks.size > 0 && this.#connection.mayMissStreams;
    if (isNeeded === (this.#queue !== undefined)) return;
    for (const check of this.#checks.values()) {
      if (isNeeded) check.start();
      else check.stop();
    }
    void this.#queue?.stop();
    this.#queue = isNeeded ? this.#makeQueue() : undefined;
    // It is tried until it holds, or is stopped.
    this.#queue?.start().catch(() => {});
  }

  #makeQueue(): OwnQueue {
    const { mesh, node, streams } = this.#options;
    return mesh.ownQueue({
      name: `edge.${node}.check`,
      arguments: { 'x-max-length': maxWaiting },
      bindings: [...streams.keys()].map((namespace) => ({
        exchange: exchanges.events,
        key: topicKey(`${namespace}.#`),
      })),
      prefetch: 1_000,
      isOptional: true,
      onDelivery: (delivery) => {
        delivery.ack();
        // What another exchange has led here is none of the history's.
        if (delivery.exchange === exchanges.events) this.#of(delivery.key)?.onRouted(delivery);
      },
    });
  }

  #of(key: string): HistoryCheck | undefined {
    return this.#checks.get(namespaceOfKey(key) ?? '');
  }
}
