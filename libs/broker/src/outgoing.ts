import type { BrokerError } from './errors.js';
import type { PublishProperties } from './types.js';

/** `unrouted` only for a `mandatory` message that no queue took. */
export type PublishOutcome = 'routed' | 'unrouted';

/** One message on its way to the broker. */
export class Outgoing {
  isSettled = false;
  isReturned = false;
  /** It has been handed to a connection: it may arrive whatever becomes of that. */
  wasSent = false;
  readonly exchange: string;
  readonly key: string;
  readonly body: Buffer;
  readonly properties: PublishProperties;
  readonly deadlineMs: number;
  /** Its caller said how long it waits: the broker drops it by then, wherever it is. */
  readonly expires: boolean;
  /** So long it waits behind an alarm of the broker; undefined: as long as it lasts. */
  readonly blockedMs: number | undefined;
  readonly resolve: (outcome: PublishOutcome) => void;
  readonly reject: (error: BrokerError) => void;

  constructor(
    message: { exchange: string; key: string; body: Buffer; properties: PublishProperties },
    patience: { deadlineMs: number; expires: boolean; blockedMs: number | undefined },
    resolve: (outcome: PublishOutcome) => void,
    reject: (error: BrokerError) => void,
  ) {
    this.exchange = message.exchange;
    this.key = message.key;
    this.body = message.body;
    this.properties = message.properties;
    this.deadlineMs = patience.deadlineMs;
    this.expires = patience.expires;
    this.blockedMs = patience.blockedMs;
    this.resolve = resolve;
    this.reject = reject;
  }
}
