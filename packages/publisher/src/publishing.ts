import { BrokerError, type PublisherLanes, type PublishOutcome } from '@evenkeel/broker';
import { atHeader, exchanges, receiptHeader, traceContextOf } from '@evenkeel/protocol';
import { v7 as newMessageId } from 'uuid';
import { extrasOf } from './extras.js';
import { bodyOf, checkId, contentTypeOf, type DirectedOptions, type TopicOptions } from './message.js';
import { OnWay } from './on-way.js';
import type { Receipts } from './receipts.js';
import type { Tracing } from './tracing.js';
import { Turns, type TurnsOptions } from './turns.js';
import type { Published } from './types.js';

export interface PublishingOptions {
  readonly confirms: Pick<PublisherLanes, 'publish'>;
  readonly tracing: Tracing;
  /** Opened by the first event that wants to know who has got it. */
  receipts(): Promise<Receipts>;
  /** Default: limits as those of a publisher of the broker. */
  readonly turns?: TurnsOptions;
}

/** An event that is checked, and not sent yet. */
export interface Ready {
  /** Of its body. */
  readonly bytes: number;
  /** It is sent once receipts of it cannot be missed. */
  readonly wantsReceipts: boolean;
  /** Sends it now, whoever else waits. */
  send(): Promise<Published>;
}

/** Makes messages of events, and sends them in the order of the calls. */
export class Publishing {
  /** By outcome. */
  readonly counts: Record<string, number> = { routed: 0, unrouted: 0 };
  readonly #options: PublishingOptions;
  readonly #turns: Turns;
  readonly #onWay = new OnWay();
  #receipts: Receipts | undefined;
  /** While the queue of receipts is being made. Never rejects. */
  #listening: Promise<void> | undefined;
  /** Why it could not be made when it was tried last. */
  #deafness: unknown;

  constructor(options: PublishingOptions) {
    this.#options = options;
    this.#turns = new Turns({ ...options.turns, onGivenUp: (code, events) => this.#count(code, events) });
  }

  /** Events that wait for their turn. */
  get waiting(): number {
    return this.#turns.waiting + this.#onWay.unsent;
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
      return { id, routed: (await this.#counted(publishing, body.length)) === 'routed' };
    };
    const withReceipt = async (handler: NonNullable<typeof onReceipt>): Promise<Published> => {
      const receipts = this.#receipts;
      if (receipts === undefined) throw this.#deafness;
      receipts.add(id, handler);
      return await send({ [receiptHeader]: receipts.word });
    };
    return {
      bytes: body.length,
      wantsReceipts: onReceipt !== undefined,
      send: () => (onReceipt === undefined ? send() : withReceipt(onReceipt)),
    };
  }

  /**
   * Sends an event behind those of earlier calls: while one of them is still checked, or the first one with a receipt waits for its queue,
   * the next ones wait. Not before `given` is over; where that rejects it does so too.
   * @throws BrokerError, also `publish-timeout` and `publisher-overflow` where it waits too long for its turn, or with too many.
   */
  send(event: Ready, given?: Promise<unknown>): Promise<Published> {
    return this.#turns.take(event.send, event.bytes, this.#before(event.wantsReceipts, given));
  }

  /**
   * Sends many events in their order, as {@link send}: as RabbitMQ confirms what was sent before, and what comes after them waits until the
   * last is sent. What failed on the way is in the results. @throws what `given` rejects with
   */
  async sendAll(
    events: readonly Ready[],
    given?: Promise<unknown>,
  ): Promise<PromiseSettledResult<Published>[]> {
    const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    const wantsReceipts = events.some((event) => event.wantsReceipts);
    const before = this.#before(wantsReceipts, given);
    try {
      return await this.#turns.take(() => this.#sendAll(events), bytes, before, events.length);
    } catch (reason) {
      if (!(reason instanceof BrokerError)) throw reason;
      return events.map(() => ({ status: 'rejected', reason }));
    }
  }

  async #sendAll(events: readonly Ready[]): Promise<PromiseSettledResult<Published>[]> {
    const settled: Promise<PromiseSettledResult<Published>>[] = [];
    const rest = this.#onWay.sendAll(events, (event, error) => {
      if (error !== undefined) this.#count(error.code);
      settled.push(settledOf(error === undefined ? event.send() : Promise.reject(error)));
    });
    if (rest !== undefined) {
      const release = this.#turns.hold();
      await rest;
      release();
    }
    return await Promise.all(settled);
  }

  /** Resolves when all have had their turn. */
  flush(): Promise<void> {
    return this.#turns.flush();
  }

  /** What still waits for its turn waits no more. */
  close(error: Error): void {
    this.#turns.close(error);
  }

  #before(wantsReceipts: boolean, given: Promise<unknown> | undefined): Promise<unknown> | undefined {
    if (!wantsReceipts || this.#receipts !== undefined) return given;
    const heard = this.#heard();
    return given === undefined ? heard : Promise.all([given, heard]);
  }

  /** Resolves once the queue of receipts is there, or could not be made: whoever comes next tries anew. */
  #heard(): Promise<void> {
    this.#listening ??= this.#listen().then(
      () => {
        this.#listening = undefined;
      },
      (error: unknown) => {
        this.#listening = undefined;
        this.#deafness = error;
      },
    );
    return this.#listening;
  }

  async #listen(): Promise<void> {
    const receipts = await this.#options.receipts();
    await receipts.listen();
    this.#receipts = receipts;
  }

  async #counted(publishing: Promise<PublishOutcome>, bytes: number): Promise<PublishOutcome> {
    const mark = this.#onWay.add(bytes);
    try {
      const outcome = await publishing;
      this.#count(outcome);
      this.#onWay.confirmed(bytes);
      return outcome;
    } catch (error) {
      this.#count(error instanceof BrokerError ? error.code : 'failed');
      this.#onWay.failed(bytes, mark, error);
      throw error;
    }
  }

  #count(what: string, events = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + events;
  }
}

const settledOf = <Value>(work: Promise<Value>): Promise<PromiseSettledResult<Value>> =>
  work.then(
    (value) => ({ status: 'fulfilled', value }),
    (reason: unknown) => ({ status: 'rejected', reason }),
  );
