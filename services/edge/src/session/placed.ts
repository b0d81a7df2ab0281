import type { Delivery } from '@evenkeel/broker';
import { type GapReason, gapReasons, type WantedTopic } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { subscribedFrame } from '../frame/frames.js';
import type { Placing } from './service-ports.js';

/** What proves it is good for an hour, and written anew after half of that, ms. */
const renewMs = 1_800_000;
/** What could not be bound is tried again after this, ms. */
const retryMs = 1_000;

/** The topics of one connection. */
export interface PlacedTopics {
  join(wanted: WantedTopic, id: undefined, missed?: GapReason): Promise<void>;
  isBound(topic: string): boolean;
  takeOut(topic: string): void;
}

export interface PlacedOptions {
  readonly claims: TicketClaims;
  readonly placing?: Placing | undefined;
  now(): number;
  send(frame: string): void;
}

interface Place {
  /** When the client is told, or told again. */
  atMs: number;
  missed: GapReason | undefined;
  isJoining: boolean;
}

/**
 * The topics that services have put one session into, whatever its user may subscribe. They follow the session: from edge to edge
 * with what the old one leaves, and over a lost edge by a proof that its client keeps.
 */
export class Placed {
  readonly #options: PlacedOptions;
  readonly #places = new Map<string, Place>();
  #topics: PlacedTopics | undefined;

  constructor(options: PlacedOptions) {
    this.#options = options;
  }

  /** These are the connection's topics. */
  of(topics: PlacedTopics): void {
    this.#topics = topics;
  }

  has(topic: string): boolean {
    return this.#places.has(topic);
  }

  /** What whoever has the session next is told. */
  get left(): { placed?: string[] } {
    return this.#places.size === 0 ? {} : { placed: [...this.#places.keys()] };
  }

  /**
   * Something has come from the session's queue. True: it was an order. `isLive`: it can be done here, or else
   * waits for who is next. `isBare`: of a client that has no topics.
   */
  take(delivery: Delivery, isLive: boolean, isBare = false): boolean {
    const order = this.#options.placing?.read(delivery, this.#options.claims);
    if (order === undefined) return false;
    if (!isLive) {
      delivery.requeue();
      return true;
    }
    delivery.ack();
    if (isBare) return true;
    if (order?.command === 'join') this.#enter(order.topic);
    if (order?.command === 'leave') {
      this.#places.delete(order.topic);
      this.#topics?.takeOut(order.topic);
    }
    return true;
  }

  /** The client names these in hello: which of them services have put it into. */
  present(wanted: readonly WantedTopic[]): void {
    const { placing, claims, now } = this.#options;
    for (const { topic, proof } of wanted) {
      if (proof === undefined || placing?.proves(proof, claims, topic, now()) !== true) continue;
      // Told once it is bound, with a proof that is good for longer.
      this.#places.set(topic, { atMs: 0, missed: undefined, isJoining: false });
    }
  }

  /** The edge that had the session says that services had put it into these. `missed`: of those that its client has not named. */
  adopt(topics: readonly string[] = []): void {
    for (const topic of topics) {
      if (this.#places.has(topic)) continue;
      this.#places.set(topic, { atMs: 0, missed: gapReasons.connectionLost, isJoining: false });
    }
  }

  /** The client has left it. */
  forget(topic: string): void {
    this.#places.delete(topic);
  }

  /** Tells what is to be told, and tries again what could not be bound. */
  sweep(): void {
    const nowMs = this.#options.now();
    for (const [topic, place] of this.#places) if (place.atMs <= nowMs) void this.#join(topic, place);
  }

  #enter(topic: string): void {
    const place = { atMs: 0, missed: undefined, isJoining: false };
    this.#places.set(topic, place);
    void this.#join(topic, place);
  }

  async #join(topic: string, place: Place): Promise<void> {
    if (place.isJoining) return;
    const { now, placing, claims, send } = this.#options;
    place.isJoining = true;
    place.atMs = now() + retryMs;
    try {
      await this.#topics?.join({ topic }, undefined, place.missed);
    } catch {
      return;
    } finally {
      place.isJoining = false;
    }
    if (this.#places.get(topic) !== place) return;
    // Refused for good: it is one topic too many.
    if (this.#topics?.isBound(topic) !== true) return void this.#places.delete(topic);
    place.missed = undefined;
    place.atMs = now() + renewMs;
    if (placing) send(subscribedFrame(topic, 'service', { proof: placing.proof(claims, topic, now()) }));
  }
}
