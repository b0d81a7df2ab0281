import type { Delivery } from '@evenkeel/broker';
import { messageIdentity } from '@evenkeel/mesh';
import { errorCodes, partAckHeader, partHeader, partsHeader, receiptHeader } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { errorFrame, type Place, partFrame, placed, replyFrame } from '../frame/frames.js';
import { type Asks, isAsk } from './asks.js';
import type { StreamEnd, StreamLoad } from './load.js';
import type { Cancels } from './service-ports.js';
import { Streams } from './streams.js';

export interface AnswersOptions {
  readonly claims: Pick<TicketClaims, 'uid' | 'sid'>;
  /** Answers in parts that may be open. */
  readonly limit: number;
  /** Longest frame. */
  readonly maxBytes: number;
  /** What services ask the client goes the same way. */
  readonly asks: Asks;
  readonly cancels: Cancels;
  readonly load: StreamLoad;
  /** A part of the answer to `re` has been written: it is waited for the next one. */
  onPart(re: string): void;
}

/** What is written for a message of an answer that is acknowledged as an event. */
export interface Answer {
  readonly frame: string;
  /** The answer to this ends with it. */
  readonly ends?: string | undefined;
  /** To be called when the client has acknowledged it. */
  readonly onAcked?: (() => void) | undefined;
}

const wordForm = /^[\w~-]{1,64}$/;
const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Turns the messages of services' answers in parts into frames, and ends answers that cannot go on. */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #streams: Streams;

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#streams = new Streams(options.limit);
  }

  get asks(): Asks {
    return this.#options.asks;
  }

  /** Ids of requests whose answers have begun and not ended, for the edge that comes next. */
  get left(): { streams?: string[] } {
    return this.size > 0 ? { streams: this.#streams.open } : {};
  }

  /** How many those are. */
  get size(): number {
    return this.#streams.size;
  }

  isOpen(re: string): boolean {
    return this.#streams.has(re);
  }

  /** They had begun on another edge, or on an earlier connection. */
  adopt(all: readonly string[]): void {
    this.#streams.adopt(all);
    for (const re of all) this.#options.onPart(re);
  }

  /**
   * The frame for a service's reply, or its question. `drop`: the client was told that this answer has ended. Undefined: it is an answer without
   * parts, which has no place among events. `isTooLarge`: the client does not take it.
   */
  of(delivery: Delivery, place: Place, isTooLarge: boolean): Answer | 'drop' | undefined {
    if (isAsk(delivery)) return this.asks.of(delivery, place, isTooLarge);
    const { correlationId: re = '', headers } = delivery.properties;
    const n = countOf(headers[partHeader]);
    return n === undefined ? this.#last(re, delivery, place) : this.#part(re, n, delivery, place, isTooLarge);
  }

  /** The answer has ended for the client, which has been told why. */
  giveUp(re: string, why: Extract<StreamEnd, 'timed-out'>): void {
    if (this.#streams.has(re)) this.#refuse(re, why);
  }

  /** The client wants no more of it. The service may say a last word. */
  cancelled(re: string): void {
    this.#options.load.ended('cancelled');
    this.#options.cancels.cancel(this.#options.claims, re);
  }

  #part(re: string, n: number, delivery: Delivery, place: Place, isTooLarge: boolean): Answer | 'drop' {
    const { load, limit, maxBytes, onPart } = this.#options;
    const turn = this.#streams.take(re);
    if (turn === 'refused') return 'drop';
    if (turn === 'one-too-many') {
      const message = `${limit} answers in parts are open in this session; let one end, and ask again`;
      return this.#broken(re, errorCodes.streamLimit, message, place, 'refused');
    }
    const frame = isTooLarge ? undefined : partFrame(delivery, n, place, maxBytes);
    if (frame === undefined) {
      const message = `part ${n} is longer than the ${maxBytes} bytes that a frame may have`;
      return this.#broken(re, errorCodes.tooLarge, message, place, 'too-large');
    }
    load.parts += 1;
    onPart(re);
    return { frame, onAcked: this.#taken(re, n, delivery.properties.headers[partAckHeader]) };
  }

  #last(re: string, delivery: Delivery, place: Place): Answer | 'drop' | undefined {
    const { load, maxBytes } = this.#options;
    const parts = countOf(delivery.properties.headers[partsHeader]);
    const hasBegun = this.#streams.has(re) || (parts ?? 0) > 0;
    if (!this.#streams.end(re)) return 'drop';
    if (!hasBegun) return undefined;
    load.ended(delivery.properties.headers['evenkeel-error'] === undefined ? 'done' : 'failed');
    return { frame: placed(replyFrame(delivery, maxBytes), place, parts), ends: re };
  }

  #broken(re: string, code: string, message: string, place: Place, why: StreamEnd): Answer {
    this.#refuse(re, why);
    return { frame: placed(errorFrame(re, code, message), place, undefined), ends: re };
  }

  #refuse(re: string, why: StreamEnd): void {
    const { load, cancels, claims } = this.#options;
    this.#streams.refuse(re);
    load.ended(why);
    cancels.cancel(claims, re);
  }

  /** Of an event whose publisher wants to know: what is to be called when the client has acknowledged it. */
  receipt(delivery: Delivery): (() => void) | undefined {
    const word = delivery.properties.headers[receiptHeader];
    if (typeof word !== 'string' || !wordForm.test(word)) return undefined;
    const { cancels, claims } = this.#options;
    const id = messageIdentity(delivery);
    return () => cancels.received(claims, id, word);
  }

  #taken(re: string, n: number, word: unknown): (() => void) | undefined {
    if (typeof word !== 'string' || !wordForm.test(word)) return undefined;
    const { cancels, claims } = this.#options;
    return () => cancels.taken(claims, re, n, word);
  }
}
