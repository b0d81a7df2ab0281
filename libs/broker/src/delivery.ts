import type { Channel, ConsumeMessage } from 'amqplib';
import type { Delivery, DeliveryProperties } from './types.js';
import type { Waits } from './waits.js';

const NO_HEADERS: Record<string, unknown> = Object.freeze({});
const NO_CONTENT = Buffer.alloc(0);
const NO_PROPERTIES = Object.freeze({ headers: NO_HEADERS }) as ConsumeMessage['properties'];

/** One opened channel of a shard. After `isOpen` turns false nothing is sent on it. */
export interface Incarnation {
  readonly channel: Channel;
  ack(tag: number): void;
  isOpen: boolean;
}

/** A delivery is one small object: the hot path makes no closures and no promises. */
export class IncomingDelivery implements Delivery {
  isSettled = false;
  readonly mayFollowWait: boolean;
  readonly #message: ConsumeMessage;
  readonly #at: Incarnation;
  readonly #waits: Waits | undefined;

  constructor(message: ConsumeMessage, at: Incarnation, waits?: Waits) {
    this.#message = message;
    this.#at = at;
    this.#waits = waits;
    this.mayFollowWait = waits?.delivered() ?? false;
  }

  get body(): Buffer {
    return this.#message.content;
  }

  get exchange(): string {
    return this.#message.fields.exchange;
  }

  get key(): string {
    return this.#message.fields.routingKey;
  }

  get redelivered(): boolean {
    return this.#message.fields.redelivered;
  }

  get properties(): DeliveryProperties {
    const properties = this.#message.properties;
    if (!properties.headers) properties.headers = NO_HEADERS;
    return properties as DeliveryProperties;
  }

  get isVoid(): boolean {
    return this.isSettled || !this.#at.isOpen;
  }

  forgetContent(): void {
    this.#message.content = NO_CONTENT;
    this.#message.properties = NO_PROPERTIES;
  }

  ack(): void {
    if (this.#settle()) this.#at.ack(this.#message.fields.deliveryTag);
  }

  requeue(): void {
    if (this.#settle()) this.#at.channel.nack(this.#message, false, true);
  }

  drop(): void {
    if (this.#settle()) this.#at.channel.nack(this.#message, false, false);
  }

  /** Acknowledging a tag twice is a channel error, which would take every consumer of the shard down. */
  #settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.#waits?.settled();
    return this.#at.isOpen;
  }
}
