import type { Delivery } from '@evenkeel/broker';
import { askErrors, askEvent, askerOf, errorCodes, exchanges, maxDataDepth } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { askFrame, errorFrame, okFrame, type Place } from '../frame/frames.js';
import type { AnswerFrame } from './inbox.js';
import { notTakenFrame } from './not-taken.js';
import type { Asking } from './service-ports.js';

export interface AsksOptions {
  readonly claims: Pick<TicketClaims, 'uid' | 'sid'>;
  /** Longest frame. */
  readonly maxBytes: number;
  /** A question that is not acknowledged after this counts as acknowledged: earlier clients ignore it. */
  readonly ackWithinMs: number;
  /** Of a client that has no frames. */
  readonly isBare: boolean;
  readonly asking?: Asking | undefined;
  now(): number;
}

/** Whether it is a service's question to this client, and not an event. */
export const isAsk = ({ exchange, key }: Delivery): boolean =>
  exchange === exchanges.events && key.endsWith(`.${askEvent}`) && key.split('.').length === 3;

/** What services ask one client, and what it answers. Nothing is remembered of either: whoever has passed the question on knows. */
export class Asks {
  readonly #options: AsksOptions;
  /** `seq` of those that are written, and until when their acknowledgement is waited for. */
  readonly #written = new Map<number, number>();

  constructor(options: AsksOptions) {
    this.#options = options;
  }

  /** The frame for a question. `drop`: it is none, or not for this client. `isTooLarge`: the client does not take it. */
  of(delivery: Delivery, place: Place, isTooLarge: boolean): { readonly frame: string } | 'drop' {
    const { asking, claims, isBare, maxBytes, ackWithinMs, now } = this.#options;
    const ask = asking?.read(delivery, claims);
    if (ask === undefined || isBare) return 'drop';
    const frame = isTooLarge ? undefined : askFrame(delivery, ask, place, maxBytes);
    if (frame !== undefined) {
      this.#written.set(place.seq, now() + ackWithinMs);
      return { frame };
    }
    asking?.tooLarge(claims, ask.id);
    return 'drop';
  }

  /** Whether the first that is unacknowledged, `seq`, is a question that its client has had for so long that it seems not to know it. */
  isLapsed(seq: number): boolean {
    if (this.#written.size === 0) return false;
    for (const each of this.#written.keys()) if (each < seq) this.#written.delete(each);
    return (this.#written.get(seq) ?? Number.POSITIVE_INFINITY) <= this.#options.now();
  }

  /** Passes on what the client answers; resolves with what it is told. */
  async answer({ id, data, bytes, error }: AnswerFrame): Promise<string> {
    const { asking, claims } = this.#options;
    const nobody = `nobody waits for an answer to '${id}': it is no id of an ask, or its time is over`;
    if (asking === undefined || askerOf(id) === undefined) return errorFrame(id, errorCodes.notAsked, nobody);
    if (data.depth > maxDataDepth) {
      const message = `data is nested deeper than ${maxDataDepth} levels, which not every service can read`;
      await asking.fail(claims, id, askErrors.tooDeep, message).catch(() => {});
      return errorFrame(id, errorCodes.tooDeep, message);
    }
    try {
      const outcome = await (error === undefined
        ? asking.answer(claims, id, bytes ?? data.text)
        : asking.fail(claims, id, error.code, error.message));
      return outcome === 'unrouted' ? errorFrame(id, errorCodes.notAsked, nobody) : okFrame(id);
    } catch (error) {
      return notTakenFrame(id, error);
    }
  }
}
