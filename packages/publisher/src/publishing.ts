import { BrokerError, type PublisherLanes, type PublishOutcome } from '@evenkeel/broker';
import { atHeader, exchanges, receiptHeader, traceContextOf } from '@evenkeel/protocol';
import { v7 as newMessageId } from 'uuid';
import { extrasOf } from './extras.js';
import { bodyOf, checkId, contentTypeOf, type DirectedOptions, type TopicOptions } from './message.js';
import type { Receipts } from './receipts.js';
import type { Tracing } from './tracing.js';
import type { Published } from './types.js';

export interface PublishingOptions {
  readonly confirms: Pick<PublisherLanes, 'publish'>;
  readonly tracing: Tracing;
  /** Opened by the first event that wants to know who has got it. */
  receipts(): Promise<Receipts>;
}

/** An event that is checked, and not sent yet. */
export type Ready = () => Promise<Published>;

/** Makes messages of events, and sends them. */
export class Publishing {
  /** By outcome. */
  readonly counts: Record<string, number> = { routed: 0, unrouted: 0 };
  readonly #options: PublishingOptions;
  #receipts: Receipts | undefined;
  /** While the queue of receipts is being made. */
  #listening: Promise<void> | undefined;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  /** `others`: further keys of the same message. @throws PublisherError at once for what can never be sent. */
  ready(
    key: string,
    payload: unknown,
    options: DirectedOptions & TopicOptions,
    others: readonly string[] = [],
  ): Ready {
    const { contentType = contentTypeOf(payload), onReceipt, persistent = true } = options;
    if (options.id !== undefined) checkId(options.id);
    const { headers, ...extras } = extrasOf(options);
    const given = traceContextOf(options);
    const hasTrace = given !== undefined || options.headers?.traceparent !== undefined;
    const trace = given ?? (hasTrace ? undefined : this.#options.tracing.active());
    const nowMs = Date.now();
    const id = options.id ?? newMessageId();
    const body = bodyOf(payload, contentType);
    const cc = others.length > 0 ? { CC: others } : undefined;
    const send = async (more?: object): Promise<Published> => {
      const publishing = this.#options.confirms.publish(exchanges.events, key, body, {
        messageId: id,
        timestamp: Math.floor(nowMs / 1_000),
        contentType,
        headers: { [atHeader]: nowMs, ...options.headers, ...headers, ...trace, ...cc, ...more },
        persistent,
        mandatory: true,
        ...extras,
      });
      return { id, routed: (await this.#counted(publishing)) === 'routed' };
    };
    if (onReceipt === undefined) return () => this.#inTurn(send);
    const withReceipt = async (): Promise<Published> => {
      const receipts = this.#receipts ?? (await this.#listen());
      receipts.add(id, onReceipt);
      return await send({ [receiptHeader]: receipts.word });
    };
    return () => this.#inTurn(withReceipt);
  }

  /** Events are sent in the order of the calls: while the first one with a receipt waits for its queue, the next ones do. */
  #inTurn(send: () => Promise<Published>): Promise<Published> {
    return this.#listening === undefined ? send() : this.#listening.then(send);
  }

  #listen(): Promise<Receipts> {
    const listening = (async () => {
      const receipts = await this.#options.receipts();
      await receipts.listen();
      this.#receipts = receipts;
      return receipts;
    })();
    const isOver = () => {
      // Behind those who wait.
      setImmediate(() => {
        if (this.#listening === over) this.#listening = undefined;
      });
    };
    const over: Promise<void> = listening.then(isOver, isOver);
    this.#listening = over;
    return listening;
  }

  async #counted(publishing: Promise<PublishOutcome>): Promise<PublishOutcome> {
    const count = (what: string) => {
      this.counts[what] = (this.counts[what] ?? 0) + 1;
    };
    try {
      const outcome = await publishing;
      count(outcome);
      return outcome;
    } catch (error) {
      count(error instanceof BrokerError ? error.code : 'failed');
      throw error;
    }
  }
}
