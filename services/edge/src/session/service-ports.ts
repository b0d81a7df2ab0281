/** What sessions need of the edge for the sake of application services; see ports.ts. */
import type { Delivery, PublishOutcome } from '@evenkeel/broker';
import type { TicketClaims } from '@evenkeel/ticket';
import type { InboundBody } from '../frame/opaque-body.js';

/** Telling services what becomes of their answers. */
export interface Cancels {
  /** The request `id` is to be answered no further. */
  cancel(from: Pick<TicketClaims, 'uid' | 'sid'>, id: string): void;
  /** The client has acknowledged the parts up to `n`; `word`: of the service that wants to know. */
  taken(from: Pick<TicketClaims, 'uid' | 'sid'>, id: string, n: number, word: string): void;
  /** The client has acknowledged the event `id`; `word`: of the publisher that wants to know. */
  received(from: Pick<TicketClaims, 'uid' | 'sid'>, id: string, word: string): void;
}

/** Services' orders among what comes from sessions' queues. */
export interface Placing {
  /** Undefined: an event. `null`: an order that does not concern this session, or does not count. */
  read(
    delivery: Delivery,
    who: Pick<TicketClaims, 'uid' | 'sid'>,
  ): { readonly command: 'join' | 'leave'; readonly topic: string } | null | undefined;
  /** What proves that a service has put the session into the topic. */
  proof(who: Pick<TicketClaims, 'uid' | 'sid'>, topic: string, nowMs: number): string;
  proves(proof: string, who: Pick<TicketClaims, 'uid' | 'sid'>, topic: string, nowMs: number): boolean;
}

/** Services' questions to clients among what comes from sessions' queues, and the way of the answers. */
export interface Asking {
  /** Undefined: nobody who counts has asked it, or nobody waits any more. */
  read(
    delivery: Delivery,
    who: Pick<TicketClaims, 'uid' | 'sid'>,
  ): { readonly id: string; readonly method: string } | undefined;
  /** `id`: of a question. `unrouted`: nobody waits for it. */
  answer(from: Pick<TicketClaims, 'uid' | 'sid'>, id: string, body: InboundBody): Promise<PublishOutcome>;
  fail(
    from: Pick<TicketClaims, 'uid' | 'sid'>,
    id: string,
    code: string,
    message: string,
  ): Promise<PublishOutcome>;
  /** The client cannot be sent the question. */
  tooLarge(from: Pick<TicketClaims, 'uid' | 'sid'>, id: string): void;
}

/** The way of events that no client may be sent, or not any more. */
export interface Unsent {
  /** Settles it. */
  take(delivery: Delivery, owner: Pick<TicketClaims, 'uid' | 'sid'>, why: 'too-large' | 'expired'): void;
}
