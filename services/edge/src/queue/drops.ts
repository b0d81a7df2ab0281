import type { Delivery } from '@evenkeel/broker';
import { isSentTo, type Mesh, type OwnQueue } from '@evenkeel/mesh';
import { sleep, withDeadline } from '@evenkeel/pace';
import {
  exchanges,
  fenceKey,
  type GapReason,
  gapReasons,
  isOwnEvent,
  readSessionQueue,
  sealHeader,
} from '@evenkeel/protocol';
import { discarded } from '../memory/discarded.js';
import { Fence } from '../topic/fence.js';
import { Overflow } from '../topic/overflow.js';
import { lastDeath } from './death.js';

/** What RabbitMQ has dropped and this edge has not read, the oldest of which goes beyond it: then everybody is in doubt. */
const queueLimits = { maxLength: 10_000, prefetch: 512 };
/** Sessions of which it is remembered why something of them was dropped. */
const maxRemembered = 10_000;

export interface DropsOptions {
  readonly mesh: Pick<Mesh, 'ownQueue' | 'publisher'>;
  readonly node: string;
  readonly boot: string;
  /** RabbitMQ has dropped something from this session's queue of that generation. */
  onDropped(key: string, why: GapReason, generation: number): void;
  now(): number;
}

/** A seal of a session's queue, and none of the marks that say where something went past it. */
function isSeal({ properties }: Delivery): boolean {
  const name = properties.headers[sealHeader];
  return typeof name === 'string' && !name.startsWith('~');
}

/** A fence that could not be sent is tried again after this. */
const retryMs = 100;

/**
 * What RabbitMQ drops from sessions' queues, as it comes by `mesh.dropped` to a queue of this edge's own. It comes by another
 * way than what follows in the session's queue, and may come later: who wants to be sure waits for a fence.
 */
export class Drops {
  /** Counts times from which on something may have been dropped without word of it. */
  doubts = 0;
  readonly #options: DropsOptions;
  readonly #queue: OwnQueue;
  readonly #fence: Fence;
  readonly #overflow: Overflow;
  readonly #reasons = new Map<string, { readonly why: GapReason; readonly atMs: number }>();
  readonly #whenHeard = new Set<() => void>();

  constructor(options: DropsOptions) {
    this.#options = options;
    const { mesh, node, boot, now } = options;
    const markerKey = `${fenceKey(node, boot)}.dropped`;
    const { maxLength, prefetch } = queueLimits;
    this.#queue = mesh.ownQueue({
      name: `edge.${node}.dropped`,
      arguments: { 'x-max-length': maxLength },
      bindings: [
        { exchange: exchanges.dropped, key: '' },
        { exchange: exchanges.control, key: markerKey },
      ],
      prefetch,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onLost: () => {
        this.#doubt();
        this.#fence.lost();
      },
      onRemade: () => {
        this.#overflow.reset();
        for (const resolve of this.#whenHeard) resolve();
      },
    });
    this.#overflow = new Overflow({
      maxLength,
      prefetch,
      length: async () => (await this.#queue.counts())?.messages,
      onOverflow: () => this.#doubt(),
    });
    this.#fence = new Fence({
      send: (marker) =>
        mesh.publisher.publish(exchanges.control, markerKey, String(marker), {
          contentType: 'text/plain',
          mandatory: true,
        }),
      onDropped: () => this.#doubt(),
      confirm: (tookMs) => this.#overflow.settle(tookMs),
      now,
    });
  }

  readiness(): true | string {
    return this.#queue.readiness();
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#queue.start(signal);
  }

  async stop(): Promise<void> {
    this.#fence.lost();
    await this.#queue.stop();
  }

  /**
   * true: what was dropped before the call has been told by `onDropped`, or `doubts` has changed. false: that is not sure, though
   * it was tried until `timeoutMs` was over: after a loss of the broker not everything is back at once.
   */
  async fence(timeoutMs: number): Promise<boolean> {
    const endsAtMs = this.#options.now() + timeoutMs;
    for (;;) {
      const leftMs = endsAtMs - this.#options.now();
      if (leftMs <= 0) return false;
      await this.whenHeard(leftMs);
      if (this.#queue.isReady && (await this.#fence.wait(leftMs))) return true;
      await sleep(retryMs);
    }
  }

  /** Resolves once its queue is there, or after `timeoutMs`. */
  async whenHeard(timeoutMs: number): Promise<void> {
    if (this.#queue.isReady) return;
    let waiting = (): void => undefined;
    const isThere = new Promise<void>((resolve) => {
      waiting = resolve;
      this.#whenHeard.add(waiting);
    });
    await withDeadline(isThere, timeoutMs, () => undefined);
    this.#whenHeard.delete(waiting);
  }

  /** Why something of this session was dropped last, if this edge has heard of it since then. */
  whyOf(key: string, sinceMs: number): GapReason | undefined {
    const last = this.#reasons.get(key);
    return last !== undefined && last.atMs >= sinceMs ? last.why : undefined;
  }

  #doubt(): void {
    this.doubts += 1;
  }

  #onDelivery(delivery: Delivery): void {
    delivery.ack();
    discarded(delivery.body);
    this.#overflow.delivered();
    if (delivery.exchange === exchanges.control) {
      if (isSentTo(delivery, exchanges.control)) this.#fence.passed(Number(delivery.body.toString('utf8')));
      return;
    }
    const { queue, reason } = lastDeath(delivery);
    const session = readSessionQueue(String(queue ?? ''));
    // An edge rejects what is too long for a frame, and tells that itself.
    if (session === undefined || reason === 'rejected') return;
    const key = `${session.uid}.${session.sid}`;
    const isExpired = reason === 'expired';
    // Nobody waits for it any more: of a question whose time is over the client has missed nothing.
    if (isExpired && isOwnEvent(delivery.key)) return;
    const why = isExpired ? gapReasons.expired : gapReasons.overflow;
    this.#reasons.delete(key);
    this.#reasons.set(key, { why, atMs: this.#options.now() });
    const [oldest] = this.#reasons.keys();
    if (oldest !== undefined && this.#reasons.size > maxRemembered) this.#reasons.delete(oldest);
    // What a seal's own end shows is seen where it does not come: no event need be missing.
    if (!isSeal(delivery)) this.#options.onDropped(key, why, session.generation);
  }
}
