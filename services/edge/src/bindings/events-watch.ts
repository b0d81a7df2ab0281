import { BrokerError, type Delivery, type TopologyChannels } from '@evenkeel/broker';
import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import { monotonicNow, sleep, withDeadline } from '@evenkeel/pace';
import { exchanges, fenceKey, probeKey } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Between two looks. */
const lookEveryMs = 1_000;
/** A fence that has not come by then shows nothing. */
const fenceMs = 5_000;
/** Between two looks that somebody waits for. */
const restMs = 25;
/** Whoever needs to know waits no longer for a look. */
const proofMs = 1_000;
/** The queue outlives a loss of the connection, and the edge, as a session's does. */
const expiresMs = 360_000;

export interface EventsWatchOptions {
  readonly mesh: Pick<Mesh, 'durableQueue' | 'publisherBeside'> & {
    readonly consuming: { topology(): Pick<TopologyChannels, 'bind'> };
  };
  readonly node: { readonly name: string; readonly boot: string };
  /** Bindings of `mesh.events` had gone, and may be made again. */
  onLost(): void;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Looks whether what is published on `mesh.events` still gets to a queue that was bound there. When somebody deletes the exchange, every
 * binding goes with it; the balancer declares it again, and RabbitMQ tells nobody.
 *
 * A probe goes that way, and a fence behind it by `mesh.control` to the same queue: a fence without its probe is the proof. (A probe that
 * is returned would be none: the exchange has an alternate.) The queue is durable, the node's own, and the probe's binding is made once, so
 * that a loss shows that falls together with one of the connection, after which everything else is bound again anyway, or with the end of
 * an edge: the next one by this name has its sessions come back. A second probe by `mesh.control`, bound once as well, tells that from a
 * queue that is a new one, as on a broker that was emptied. Of two consumers RabbitMQ serves the first alone: the edge's last connection may
 * be one for a while, and a probe that went there would look like a loss.
 */
export class EventsWatch {
  readonly #options: EventsWatchOptions;
  readonly #topology: Pick<TopologyChannels, 'bind'>;
  readonly #queue: OwnQueue;
  readonly #publisher: ReturnType<Mesh['publisherBeside']>;
  readonly #name: string;
  readonly #keys: { readonly probe: string; readonly other: string; readonly fence: string };
  #looking: NodeJS.Timeout | undefined;
  #underWay: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** As far as is known. */
  #isBound = true;
  /** To be told once the binding is back. */
  #isLost = false;
  /** What has come of the last one. */
  #look = { id: '', came: new Set<string>(), onFence: () => {} };
  #looks = 0;

  constructor(options: EventsWatchOptions) {
    const { mesh, node } = options;
    this.#options = options;
    this.#name = `edge.${node.name}.probe`;
    const fence = fenceKey(node.name, 'probe');
    this.#keys = { probe: probeKey(node.name), other: `${fence}.other`, fence };
    this.#topology = mesh.consuming.topology();
    this.#publisher = mesh.publisherBeside();
    this.#queue = mesh.durableQueue({
      name: this.#name,
      arguments: { 'x-max-length': 100, 'x-expires': expiresMs, 'x-single-active-consumer': true },
      bindings: [{ exchange: exchanges.control, key: this.#keys.fence }],
      onDelivery: (delivery) => this.#onDelivery(delivery),
    });
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#queue.start(signal);
    void this.#lookNow().then(() => this.#isBound || this.#lookNow());
    this.#looking = setInterval(() => void this.#lookNow(), lookEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    await this.#queue.stop();
  }

  /** As far as is known, and can be bound again. */
  get isBound(): boolean {
    return this.#isBound;
  }

  /**
   * Whether bindings have gone and cannot be made again yet, by a look that begins after the call; one look for all who ask meanwhile. What
   * can be made again is, and told. False as well where the look shows nothing in time.
   */
  async hasLost(): Promise<boolean> {
    await withDeadline(this.#lookFresh(), proofMs, () => undefined);
    return this.#isLost;
  }

  /**
   * Whether every binding was there at a moment after the call. False as well where that cannot be shown within `timeoutMs`; what has gone
   * is made again, and told.
   */
  async areThere(timeoutMs: number): Promise<boolean> {
    this.#next ??= this.#lookNext();
    return await withDeadline(this.#next, timeoutMs, () => false);
  }

  /** For all who ask before it begins. */
  async #lookNext(): Promise<boolean> {
    await sleep(Math.max(0, this.#lookedAtMs + restMs - monotonicNow()));
    await this.#underWay;
    this.#next = undefined;
    return await this.#lookNow();
  }

  async #lookFresh(): Promise<void> {
    await this.#queue.start().catch(() => {});
    await this.#underWay;
    await this.#lookNow();
    // Bound again before whoever asks binds anything: all of it counts as done after this loss.
    if (!this.#isBound) await this.#lookNow();
  }

  /** True: all was there. */
  #lookNow(): Promise<boolean> {
    this.#underWay ??= this.#tryToLook().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #tryToLook(): Promise<boolean> {
    if (!this.#queue.isReady) return false;
    this.#lookedAtMs = monotonicNow();
    try {
      const wasBound = this.#isBound;
      if (!wasBound) await this.#bind();
      return (await this.#send()) && wasBound;
    } catch {
      // Not bound, without the broker or without the exchange: it is tried again.
      return false;
    }
  }

  /** Before the others: should bindings go once more meanwhile, that shows. */
  async #bind(): Promise<void> {
    const { probe, other } = this.#keys;
    await this.#topology.bind(this.#name, exchanges.events, probe);
    await this.#topology.bind(this.#name, exchanges.control, other);
    this.#isBound = true;
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#options.onLost();
  }

  async #send(): Promise<boolean> {
    const { probe, other, fence } = this.#keys;
    const came = new Set<string>();
    this.#looks += 1;
    const id = `${this.#options.node.boot}.${this.#looks}`;
    const fenced = new Promise<void>((onFence) => {
      this.#look = { id, came, onFence };
    });
    const publish = (exchange: string, key: string) =>
      this.#publisher.publish(exchange, key, '', { messageId: id });
    const [sent] = await Promise.allSettled([
      publish(exchanges.events, probe),
      publish(exchanges.control, other),
      publish(exchanges.control, fence),
    ]);
    const isMissing = ({ reason }: PromiseRejectedResult) =>
      reason instanceof BrokerError && reason.code === 'no-exchange';
    // What was refused for another reason shows nothing.
    if (sent.status === 'rejected' && !isMissing(sent)) return false;
    await withDeadline(fenced, fenceMs, () => undefined);
    if (!came.has(fence)) return false;
    if (came.has(probe)) return true;
    this.#isBound = false;
    if (!came.has(other)) return false;
    this.#isLost = true;
    this.#options.log.warn({}, 'bindings of mesh.events have gone; they are made again');
    return false;
  }

  #onDelivery(delivery: Delivery): void {
    delivery.ack();
    const { key, properties } = delivery;
    const { id, came, onFence } = this.#look;
    // Of an earlier look, or an earlier edge.
    if (properties.messageId !== id) return;
    came.add(key);
    if (key === this.#keys.fence) onFence();
  }
}
