import { Placements } from '@evenkeel/access';
import type { Delivery } from '@evenkeel/broker';
import { isSentTo, readJson } from '@evenkeel/mesh';
import { exchanges, placeCommand, placeKey } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { Commanders } from '../control/commands.js';

/** What a service wants of the topics of a session. */
export interface PlaceOrder {
  readonly command: 'join' | 'leave';
  readonly topic: string;
}

/** Which of what comes from sessions' queues puts them into topics, and what proves later that it was so. */
export class Placing {
  /** Orders that came from a user who may not give any. */
  refused = 0;
  readonly #placements: Placements;
  readonly #commanders: Commanders;

  /** `commanders`: the users whose orders count. */
  constructor(secrets: readonly string[], commanders: Commanders) {
    this.#placements = new Placements(secrets);
    this.#commanders = commanders;
  }

  /** Undefined: it is none, but an event. `null`: an order that does not concern this session, or does not count. */
  read(delivery: Delivery, { uid, sid }: Pick<TicketClaims, 'uid' | 'sid'>): PlaceOrder | null | undefined {
    if (delivery.exchange !== exchanges.events || delivery.key !== placeKey(uid)) return undefined;
    const { userId } = delivery.properties;
    const commanders = this.#commanders;
    const isTheirs = commanders === 'any' || (userId !== undefined && commanders.has(userId));
    if (!isTheirs || !isSentTo(delivery, exchanges.events)) {
      this.refused += 1;
      return null;
    }
    const order = placeCommand.safeParse(readJson(delivery.body));
    if (!order.success) return null;
    const { command, topic, session } = order.data;
    return session === undefined || session === sid ? { command, topic } : null;
  }

  proof({ uid, sid }: Pick<TicketClaims, 'uid' | 'sid'>, topic: string, nowMs: number): string {
    return this.#placements.issue({ uid, sid, topic }, nowMs);
  }

  proves(
    proof: string,
    { uid, sid }: Pick<TicketClaims, 'uid' | 'sid'>,
    topic: string,
    nowMs: number,
  ): boolean {
    return this.#placements.check(proof, { uid, sid, topic }, nowMs);
  }
}
