import { LogLimits } from '@evenkeel/pace';
import { type CloseCode, closeCodes, logged } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { TicketClaims } from '@evenkeel/ticket';

/** How often each reason is logged, ms. */
const everyMs = 10_000;

/** Closes that say that a client, or the broker, did not keep up with what is asked of it. */
const faults: ReadonlyMap<number, CloseCode> = new Map(
  [
    closeCodes.helloTimeout,
    closeCodes.slowConsumer,
    closeCodes.ackTimeout,
    closeCodes.brokerUnavailable,
    closeCodes.rateLimited,
    closeCodes.takeoverFailed,
    closeCodes.badFrame,
    closeCodes.tooLarge,
  ].map((each) => [each.code, each]),
);

/**
 * Says whom this edge turns away and why, each reason once in ten seconds at most, with how many were left out since. `warn` where the
 * mesh itself may be set up wrongly; the rest is clients' doing.
 */
export class RefusalLog {
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #now: () => number;
  readonly #limits = new LogLimits(everyMs);

  constructor(log: Pick<Log, 'info' | 'warn'>, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** An upgrade was refused, or a connection closed before it asked for one. `reason`: of the answer, or the limit. */
  refused(reason: string): void {
    const suppressed = this.#limits.pass(reason, this.#now());
    if (suppressed === undefined) return;
    // An attack, or a gateway with another secret, which would turn all its clients away here.
    if (reason === 'ticket-forged') {
      this.#log.warn(
        { reason, suppressed },
        'a ticket was refused: it was not signed with this edge’s EVENKEEL_SECRET; do all gateways and edges have the same?',
      );
    } else this.#log.info({ reason, suppressed }, 'client refused');
  }

  /** This edge has closed a connection. */
  closed(claims: Pick<TicketClaims, 'uid' | 'sid'>, code: number): void {
    const fault = faults.get(code);
    if (fault === undefined) return;
    const suppressed = this.#limits.pass(fault.reason, this.#now());
    if (suppressed === undefined) return;
    this.#log.info({ ...logged(claims), code, reason: fault.reason, suppressed }, 'connection closed');
  }
}
