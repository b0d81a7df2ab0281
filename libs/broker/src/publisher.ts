import { Fifo } from '@evenkeel/pace';
import { type ConfirmChannel, IllegalOperationError, type Message } from 'amqplib';
import { type AmqpConnection, closedError } from './connection.js';
import { BrokerError, messageOf, REPLY, replyCodeOf } from './errors.js';
import { longestPlain } from './large-bodies.js';
import { Outgoing, type PublishOutcome } from './outgoing.js';
import type { PublishProperties } from './types.js';

/** So many in a row are no queue that is full for a moment. */
const nacksOfStuck = 3;

/** Limits of a {@link Publisher}. */
export interface PublisherOptions {
  /** Unconfirmed messages at most; more wait. Default 1024. */
  window?: number;
  /** Bytes of their bodies at most; more wait, but one is always sent. Default 8 MiB. */
  windowBytes?: number;
  /** Waiting messages at most; more reject with `publisher-overflow`. Default 10000. */
  maxQueued?: number;
  /** Bytes of their bodies at most, likewise; one may always wait. Default 64 MiB. */
  maxQueuedBytes?: number;
  /** From the call to the confirm, else `publish-timeout`. Default 30000. */
  timeoutMs?: number;
}

/**
 * Publishes with confirms on one channel, in the order of the calls. At least once: after a connection loss
 * the unconfirmed messages go out again first, in their old order and with their message ids, then the
 * waiting ones. While the broker blocks publishers or is away, messages wait.
 */
export class Publisher {
  readonly #connection: AmqpConnection;
  readonly #window: number;
  readonly #windowBytes: number;
  readonly #maxQueued: number;
  readonly #maxQueuedBytes: number;
  readonly #timeoutMs: number;
  readonly #waiting = new Fifo<Outgoing>();
  #waitingBytes = 0;
  /** Unconfirmed, oldest first. */
  readonly #sent = new Set<Outgoing>();
  #sentBytes = 0;
  /** Those with a time limit of their own. */
  readonly #expiring = new Set<Outgoing>();
  #channel: ConfirmChannel | undefined;
  #isOpening = false;
  /** Messages that still go out one by one, to find the one the broker closes the channel for. */
  #probes = 0;
  /** One after the other. */
  #nacks = 0;
  #outstanding = 0;
  #sweep: NodeJS.Timeout | undefined;
  #flushed: (() => void)[] = [];

  constructor(connection: AmqpConnection, options: PublisherOptions = {}) {
    this.#connection = connection;
    this.#window = options.window ?? 1024;
    this.#windowBytes = options.windowBytes ?? 8_388_608;
    this.#maxQueued = options.maxQueued ?? 10_000;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? 67_108_864;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    connection.counts(() => ({
      channels: this.#channel === undefined ? 0 : 1,
      unconfirmed: this.#sent.size,
      waiting: this.#waiting.length,
    }));
    connection.on('open', () => void this.#open());
    connection.alarm.onOver(() => this.#pump());
    connection.closing.addEventListener('abort', () => {
      for (const out of [...this.#sent, ...this.#waiting.drain()]) this.#reject(out, closedError());
      this.#sent.clear();
      this.#waitingBytes = this.#sentBytes = 0;
    });
    void this.#open();
  }

  /** Messages neither confirmed nor given up: sent and waiting. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /**
   * Publishes one message and resolves when the broker has confirmed it. With `waitMs`, at most the publisher's
   * `timeoutMs`, it rejects after that time and the message expires by then, in a queue too: what was reported as failed
   * reaches nobody later. With `blockedMs` it rejects with `publisher-blocked` once RabbitMQ has been in an alarm for so long, or is
   * already, unless it was sent before.
   * @throws BrokerError `publisher-overflow`, `publisher-blocked`, `publish-timeout`, `publish-nacked`, `publish-refused`,
   * `no-exchange` (also for the other unconfirmed messages to that exchange), `broker-closed`.
   */
  publish(
    exchange: string,
    key: string,
    body: Buffer | string,
    p: PublishProperties = {},
    waitMs?: number,
    blockedMs?: number,
  ): Promise<PublishOutcome> {
    if (this.#connection.state === 'closed') return Promise.reject(closedError());
    if (this.#isRefused(blockedMs)) return Promise.reject(blockedError());
    const message = {
      exchange,
      key,
      body: typeof body === 'string' ? Buffer.from(body) : body,
      properties: p,
    };
    const full = this.#full(message.body.length);
    if (full !== undefined) {
      const reason = `${full} are waiting; publish more slowly.`;
      return Promise.reject(new BrokerError('publisher-overflow', reason));
    }
    return new Promise((resolve, reject) => {
      this.#outstanding++;
      const expires = waitMs !== undefined;
      const deadlineMs = performance.now() + Math.min(waitMs ?? this.#timeoutMs, this.#timeoutMs);
      const out = new Outgoing(message, { deadlineMs, expires, blockedMs }, resolve, reject);
      if (expires) this.#expiring.add(out);
      this.#waiting.push(out);
      this.#waitingBytes += out.body.length;
      this.#sweep ??= setInterval(() => this.#expire(), Math.min(1000, Math.max(10, this.#timeoutMs / 10)));
      this.#pump();
    });
  }

  /** Resolves when everything published so far and meanwhile is settled, successfully or not. */
  flush(): Promise<void> {
    if (this.#outstanding === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  /** What leaves no room for so many bytes more. */
  #full(bytes: number): string | undefined {
    if (this.#waiting.length >= this.#maxQueued) return `${this.#maxQueued} messages`;
    const isFull = this.#waiting.length > 0 && this.#waitingBytes + bytes > this.#maxQueuedBytes;
    return isFull ? `${this.#waitingBytes} bytes` : undefined;
  }

  #pump(): void {
    const channel = this.#channel;
    if (!channel || this.#connection.alarm.isOn) return;
    const atOnce = this.#probes > 0 ? 1 : this.#window;
    while (this.#sent.size < atOnce && this.#sentBytes < this.#windowBytes) {
      const out = this.#next();
      if (!out) return;
      if (!out.isSettled && !this.#send(channel, out)) return;
    }
  }

  #next(): Outgoing | undefined {
    const out = this.#waiting.shift();
    if (out) this.#waitingBytes -= out.body.length;
    return out;
  }

  #putBack(outs: Outgoing[]): void {
    this.#waiting.prepend(outs);
    for (const { body } of outs) this.#waitingBytes += body.length;
  }

  #forget(out: Outgoing): void {
    if (this.#sent.delete(out)) this.#sentBytes -= out.body.length;
  }

  #send(channel: ConfirmChannel, out: Outgoing): boolean {
    // amqplib types the header table as `any` of its own; the rest are the same names.
    const options = defined(out.properties);
    if (out.expires) {
      const leftMs = Math.floor(out.deadlineMs - performance.now());
      if (leftMs <= 0) {
        this.#reject(out, this.#late());
        return true;
      }
      options.expiration = String(leftMs);
    }
    this.#sent.add(out);
    this.#sentBytes += out.body.length;
    try {
      channel.publish(out.exchange, out.key, out.body, options, (error: unknown) => {
        if (this.#channel === channel) this.#confirmed(out, error);
      });
      out.wasSent = true;
      return true;
    } catch (cause) {
      this.#forget(out);
      if (cause instanceof IllegalOperationError) {
        this.#putBack([out]);
        return false;
      }
      this.#reject(
        out,
        new BrokerError(
          'publish-refused',
          `The message cannot be encoded (${messageOf(cause)}); check its properties.`,
          cause,
        ),
      );
      return true;
    }
  }

  #confirmed(out: Outgoing, error: unknown): void {
    // Before its close event amqplib fails every callback: those are for the next channel.
    if (error instanceof Error && error.message === 'channel closed') return;
    this.#forget(out);
    if (this.#probes > 0) this.#probes--;
    this.#nacks = error ? this.#nacks + 1 : 0;
    if (error) {
      this.#reject(
        out,
        new BrokerError('publish-nacked', 'RabbitMQ could not take the message; publish it again.', error),
      );
    } else if (!out.isSettled) {
      out.isSettled = true;
      out.resolve(out.isReturned ? 'unrouted' : 'routed');
      this.#done(out);
    }
    this.#renewIfStuck();
    this.#pump();
  }

  /** A channel that published while a quorum queue changed its leader may refuse all that follows; a new one does not. */
  #renewIfStuck(): void {
    if (this.#nacks < nacksOfStuck || this.#sent.size > 0) return;
    this.#nacks = 0;
    this.#channel?.close().catch(() => {});
  }

  /** A return precedes its confirm, and returns keep the order of publishing: the oldest match is it. */
  #returned(message: Message): void {
    const { exchange, routingKey } = message.fields;
    for (const out of this.#sent) {
      if (
        out.properties.mandatory &&
        !out.isReturned &&
        out.key === routingKey &&
        out.exchange === exchange &&
        out.properties.messageId === message.properties.messageId &&
        out.properties.correlationId === message.properties.correlationId &&
        isReturnOf(out.body, message.content)
      ) {
        out.isReturned = true;
        return;
      }
    }
    this.#connection.log.warn({ exchange, key: routingKey }, 'returned message matches none');
  }

  async #open(): Promise<void> {
    const model = this.#connection.model;
    if (!model || this.#isOpening || this.#channel) return;
    this.#isOpening = true;
    try {
      const channel = await model.createConfirmChannel();
      let cause: unknown;
      let isOpen = true;
      channel.on('error', (error) => {
        cause = error;
      });
      channel.on('close', () => {
        isOpen = false;
        this.#closed(channel, cause);
      });
      channel.on('return', (message) => this.#returned(message));
      if (this.#connection.model === model && isOpen) this.#channel = channel;
    } catch (error) {
      this.#connection.log.debug({ error: messageOf(error) }, 'publisher channel failed');
    }
    this.#isOpening = false;
    if (this.#channel) this.#pump();
    else if (this.#connection.model) setTimeout(() => void this.#open(), 100);
  }

  #closed(channel: ConfirmChannel, cause: unknown): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    const code = replyCodeOf(cause);
    const isFound = code === undefined || this.#refused(code, cause);
    const again: Outgoing[] = [];
    for (const out of this.#sent) {
      out.isReturned = false;
      if (!out.isSettled) again.push(out);
    }
    this.#sent.clear();
    this.#sentBytes = 0;
    this.#putBack(again);
    if (!isFound) this.#probes = again.length;
    // The channels of a lost connection close before the connection says so.
    queueMicrotask(() => void this.#open());
  }

  /** The broker closed the channel for something in the window: rejects the reason, if it can be told. */
  #refused(code: number, cause: unknown): boolean {
    const reason = messageOf(cause);
    const missing = code === REPLY.notFound ? /no exchange '([^']*)'/.exec(reason)?.[1] : undefined;
    this.#connection.log.warn({ reason, unconfirmed: this.#sent.size }, 'publisher channel closed');
    if (missing !== undefined) this.#connection.onMissing();
    const isAlone = this.#sent.size === 1;
    let isFound = false;
    for (const out of this.#sent) {
      if (missing !== undefined && out.exchange === missing) {
        isFound = true;
        this.#reject(
          out,
          new BrokerError('no-exchange', `There is no exchange ${missing}; declare it first.`, cause),
        );
      } else if (isAlone) {
        isFound = true;
        this.#reject(
          out,
          new BrokerError(
            'publish-refused',
            `RabbitMQ refuses the message (${reason}); change it, or the user's rights.`,
            cause,
          ),
        );
      }
    }
    return isFound;
  }

  #isRefused(blockedMs: number | undefined): boolean {
    const { ageMs } = this.#connection.alarm;
    return ageMs !== undefined && blockedMs !== undefined && ageMs >= blockedMs;
  }

  /** What was sent before a loss may be there already: its answer is still to come. */
  #refuseBlocked(): void {
    const kept: Outgoing[] = [];
    for (const out of this.#waiting.drain()) {
      if (out.wasSent || !this.#isRefused(out.blockedMs)) kept.push(out);
      else this.#reject(out, blockedError());
    }
    this.#waitingBytes = 0;
    this.#putBack(kept);
  }

  #expire(): void {
    const nowMs = performance.now();
    if (this.#connection.alarm.isOn) this.#refuseBlocked();
    for (const out of this.#expiring) if (out.deadlineMs <= nowMs) this.#reject(out, this.#late());
    for (const out of this.#sent) {
      if (out.deadlineMs > nowMs) break;
      this.#reject(out, this.#late());
    }
    for (let out = this.#waiting.peek(); out && out.deadlineMs <= nowMs; out = this.#waiting.peek()) {
      this.#next();
      this.#reject(out, this.#late());
    }
  }

  #late(): BrokerError {
    return new BrokerError(
      'publish-timeout',
      'RabbitMQ has not confirmed the message in time; publish it again with the same id.',
    );
  }

  #reject(out: Outgoing, error: BrokerError): void {
    if (out.isSettled) return;
    out.isSettled = true;
    out.reject(error);
    this.#done(out);
  }

  #done(out: Outgoing): void {
    if (out.expires) this.#expiring.delete(out);
    if (--this.#outstanding > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    const waiters = this.#flushed;
    this.#flushed = [];
    for (const resolve of waiters) resolve();
  }
}

const blockedError = (): BrokerError =>
  new BrokerError(
    'publisher-blocked',
    'RabbitMQ takes nothing now, because of an alarm; publish it again later.',
  );

/** A long body does not come back. */
const isReturnOf = (body: Buffer, returned: Buffer): boolean =>
  (returned.length === 0 && body.length > longestPlain) || body.equals(returned);

/** amqplib takes absent options, not undefined ones. */
function defined(p: PublishProperties): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(p)) if (value !== undefined) options[name] = value;
  return options;
}
