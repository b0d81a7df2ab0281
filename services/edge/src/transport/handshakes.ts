import { RequestLimits } from '@evenkeel/runtime';

export interface HandshakeRules {
  readonly handshakesPerSecond: number;
  readonly handshakesBurst: number;
  readonly userHandshakesPerSecond: number;
  readonly userHandshakesBurst: number;
  /** Whether this machine's own addresses are limited too. */
  readonly limitLoopback: boolean;
}

/** One that is refused for its ticket, or its origin, counts for so many. */
const refusedCost = 20;
/** Those may use so much of a burst: the rest is for who comes from the same address with a good ticket. */
const refusedPart = 0.5;
/** Addresses remembered, and users. */
const maxRemembered = 10_000;

/**
 * How many WebSockets, and streams, one address and one user may ask an edge for. Each answer is a second, in whole ones, to come back
 * after; undefined: it may.
 */
export class HandshakeLimits {
  readonly #limits: RequestLimits;
  readonly #refused: { readonly count: number; readonly kept: number };

  constructor(rules: HandshakeRules, random: () => number) {
    const { handshakesPerSecond, handshakesBurst, userHandshakesPerSecond, userHandshakesBurst } = rules;
    this.#limits = new RequestLimits(
      {
        address: { perSecond: handshakesPerSecond, burst: handshakesBurst },
        user: { perSecond: userHandshakesPerSecond, burst: userHandshakesBurst },
        limitLoopback: rules.limitLoopback,
        maxRemembered,
      },
      // Counted by whoever answers.
      () => {},
      random,
    );
    const kept = handshakesBurst * (1 - refusedPart);
    this.#refused = { count: Math.min(refusedCost, handshakesBurst - kept), kept };
  }

  /** One from there, with a good ticket. */
  address(address: string, nowMs: number): number | undefined {
    return this.#limits.addressWaitS(address, nowMs);
  }

  /** One of that user, with a good ticket. */
  user(uid: string, nowMs: number): number | undefined {
    return this.#limits.userWaitS(uid, nowMs);
  }

  /** One from there that is to be refused. */
  refused(address: string, nowMs: number): number | undefined {
    return this.#limits.addressWaitS(address, nowMs, this.#refused);
  }
}
