import { Fifo, LogLimit, monotonicNow } from '@evenkeel/pace';
import type { Channel } from 'amqplib';
import { type AmqpConnection, closedError, unavailableError } from './connection.js';
import { BrokerError, isQueueDown, messageOf, REPLY, replyCodeOf } from './errors.js';
import { assertExchange, assertQueue, openChannel } from './topology.js';
import type { ExchangeSpec, QueueCounts, QueueSpec } from './types.js';

/** Limits of {@link TopologyChannels}. */
export interface TopologyOptions {
  /** Operations in flight at once. Default 8. */
  channels?: number;
  /** From the call to the answer, waiting included. Default 10000. */
  timeoutMs?: number;
  /** Operations waiting at most; more reject with `topology-overflow`. Default 100000. */
  maxQueued?: number;
}

interface Operation {
  run(channel: Channel): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  attempts: number;
  isSettled: boolean;
  timer: NodeJS.Timeout | undefined;
}

interface Slot {
  channel: Channel | undefined;
  isBusy: boolean;
}

/**
 * A pool of channels for declaring, binding and looking. One request is in flight per channel, so that an
 * error the broker closes a channel for fails only the operation that caused it. Every operation is retried
 * once through a reconnect, then rejects with `broker-unavailable`.
 */
export class TopologyChannels {
  readonly #connection: AmqpConnection;
  readonly #slots: Slot[];
  readonly #timeoutMs: number;
  readonly #maxQueued: number;
  readonly #waiting = new Fifo<Operation>();
  readonly #asIsLog = new LogLimit(10_000);

  constructor(connection: AmqpConnection, options: TopologyOptions = {}) {
    this.#connection = connection;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#maxQueued = options.maxQueued ?? 100_000;
    this.#slots = Array.from({ length: options.channels ?? 8 }, () => ({
      channel: undefined,
      isBusy: false,
    }));
    connection.counts(() => ({
      channels: this.#slots.filter(({ channel }) => channel !== undefined).length,
      operationsWaiting: this.#waiting.length,
    }));
    connection.on('open', () => this.#pump());
    connection.closing.addEventListener('abort', () => {
      for (const op of this.#waiting.drain()) settle(op, () => op.reject(closedError()));
    });
  }

  /** Operations waiting for a channel. */
  get queued(): number {
    return this.#waiting.length;
  }

  /**
   * Declares the queue. One that exists with other arguments is taken as it is (`asIs`), with a warning at
   * most every ten seconds.
   */
  async declareQueue(q: QueueSpec): Promise<QueueCounts & { asIs: boolean }> {
    try {
      return { ...(await this.declareExactly(q)), asIs: false };
    } catch (cause) {
      if (!(cause instanceof BrokerError) || cause.code !== 'queue-differs') throw cause;
      const counts = await this.checkQueue(q.name);
      if (!counts)
        throw new BrokerError('no-queue', `Queue ${q.name} was deleted meanwhile; declare it again.`, cause);
      const suppressed = this.#asIsLog.pass(monotonicNow());
      if (suppressed !== undefined) {
        this.#connection.log.warn(
          { queue: q.name, reason: messageOf(cause), suppressed },
          'queue differs, used as it is',
        );
      }
      return { ...counts, asIs: true };
    }
  }

  /** Declares the queue as it is given. @throws BrokerError `queue-differs`: it exists with other arguments. */
  async declareExactly(q: QueueSpec): Promise<QueueCounts> {
    try {
      return await this.#execute((channel) => assertQueue(channel, q));
    } catch (cause) {
      if (replyCodeOf(cause) !== REPLY.preconditionFailed) throw mapError(cause, `queue ${q.name}`);
      throw new BrokerError('queue-differs', messageOf(cause), cause);
    }
  }

  /** The queue's counts; undefined when there is no such queue. @throws BrokerError `queue-down`: there is, out of reach. */
  async checkQueue(name: string): Promise<QueueCounts | undefined> {
    try {
      const ok = await this.#execute((channel) => channel.checkQueue(name));
      return { messages: ok.messageCount, consumers: ok.consumerCount };
    } catch (cause) {
      if (replyCodeOf(cause) === REPLY.notFound && !isQueueDown(cause)) return undefined;
      throw mapError(cause, `queue ${name}`);
    }
  }

  /** Binds; a repeated binding changes nothing. */
  bind(queue: string, exchange: string, key: string): Promise<void> {
    return this.#void(
      (channel) => channel.bindQueue(queue, exchange, key),
      `binding ${queue} to ${exchange}`,
    );
  }

  /** Unbinds; a binding that does not exist is no error. */
  unbind(queue: string, exchange: string, key: string): Promise<void> {
    return this.#void(
      (channel) => channel.unbindQueue(queue, exchange, key),
      `binding ${queue} to ${exchange}`,
    );
  }

  /** Deletes the queue with its messages; a queue that does not exist is no error. */
  deleteQueue(name: string): Promise<void> {
    return this.#void((channel) => channel.deleteQueue(name), `queue ${name}`);
  }

  /** Deletes the queue with its messages if nobody consumes it; one that does not exist is no error. @throws BrokerError `topology-refused`: somebody does. */
  deleteUnusedQueue(name: string): Promise<void> {
    return this.#void((channel) => channel.deleteQueue(name, { ifUnused: true }), `queue ${name}`);
  }

  /** Deletes the queue if nothing waits in it, at that moment; false: something does. */
  async deleteEmptyQueue(name: string): Promise<boolean> {
    try {
      await this.#execute((channel) => channel.deleteQueue(name, { ifEmpty: true }));
      return true;
    } catch (cause) {
      if (replyCodeOf(cause) === REPLY.preconditionFailed) return false;
      throw mapError(cause, `queue ${name}`);
    }
  }

  /**
   * If nothing waits in the queue at that moment, deletes it and declares it as it is given; false: something does. Both are sent
   * at once, so that nobody who hears of its end declares it in between.
   */
  async replaceEmptyQueue(q: QueueSpec): Promise<boolean> {
    try {
      await this.#execute(async (channel) => {
        const deleted = channel.deleteQueue(q.name, { ifEmpty: true });
        const declared = assertQueue(channel, q);
        declared.catch(() => {});
        await deleted;
        await declared;
      });
      return true;
    } catch (cause) {
      if (replyCodeOf(cause) === REPLY.preconditionFailed) return false;
      throw mapError(cause, `queue ${q.name}`);
    }
  }

  /** Declares the exchange as it is given. */
  declareExchange(x: ExchangeSpec): Promise<void> {
    return this.#void((channel) => assertExchange(channel, x), `exchange ${x.name}`);
  }

  /** Has an exchange take what another one routes; a repeated binding changes nothing. */
  bindExchange(exchange: string, source: string, key: string): Promise<void> {
    return this.#void(
      (channel) => channel.bindExchange(exchange, source, key),
      `binding ${exchange} to ${source}`,
    );
  }

  /** Deletes the exchange with its bindings; one that does not exist is no error. */
  deleteExchange(name: string): Promise<void> {
    return this.#void((channel) => channel.deleteExchange(name), `exchange ${name}`);
  }

  async #void(run: (channel: Channel) => Promise<unknown>, what: string): Promise<void> {
    try {
      await this.#execute(run);
    } catch (cause) {
      throw mapError(cause, what);
    }
  }

  #execute<T>(run: (channel: Channel) => Promise<T>): Promise<T> {
    if (this.#connection.state === 'closed') return Promise.reject(closedError());
    if (this.#waiting.length >= this.#maxQueued) {
      return Promise.reject(
        new BrokerError(
          'topology-overflow',
          `${this.#maxQueued} topology operations are waiting; slow down.`,
        ),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const op: Operation = {
        run,
        resolve: (value) => resolve(value as T),
        reject,
        attempts: 0,
        isSettled: false,
        timer: undefined,
      };
      op.timer = setTimeout(
        () => settle(op, () => reject(unavailableError(this.#timeoutMs))),
        this.#timeoutMs,
      );
      this.#waiting.push(op);
      this.#pump();
    });
  }

  #pump(): void {
    for (const slot of this.#slots) {
      if (this.#waiting.length === 0 || !this.#connection.model) return;
      if (!slot.isBusy) void this.#work(slot);
    }
  }

  async #work(slot: Slot): Promise<void> {
    slot.isBusy = true;
    for (let op = this.#next(); op; op = this.#next()) {
      let channel: Channel | undefined;
      try {
        channel = slot.channel ?? (await this.#open(slot));
        const value = await op.run(channel);
        settle(op, op.resolve, value);
      } catch (error) {
        if (replyCodeOf(error) !== undefined) settle(op, op.reject, error);
        else if (channel && slot.channel === channel) {
          // amqplib would wait for the answer to what it could not encode.
          slot.channel = undefined;
          channel.close().catch(() => {});
          settle(op, op.reject, malformed(error));
        } else this.#retry(op, error);
      }
    }
    slot.isBusy = false;
  }

  #next(): Operation | undefined {
    while (this.#connection.model) {
      const op = this.#waiting.shift();
      if (!op?.isSettled) return op;
    }
    return undefined;
  }

  async #open(slot: Slot): Promise<Channel> {
    const model = this.#connection.model;
    if (!model) throw new Error('connection lost');
    const channel = await openChannel(model);
    channel.on('close', () => {
      if (slot.channel === channel) slot.channel = undefined;
    });
    slot.channel = channel;
    return channel;
  }

  #retry(op: Operation, error: unknown): void {
    if (this.#connection.state === 'closed') settle(op, op.reject, closedError());
    else if (op.attempts++ > 0) settle(op, op.reject, unavailableError(this.#timeoutMs, error));
    else {
      this.#waiting.prepend([op]);
      this.#pump();
    }
  }
}

function settle<V>(op: Operation, how: (value: V) => void, value?: V): void {
  if (op.isSettled) return;
  op.isSettled = true;
  clearTimeout(op.timer);
  how(value as V);
}

/** The channel lived, so the operation never reached the broker. */
function malformed(cause: unknown): BrokerError {
  return new BrokerError(
    'topology-refused',
    `The operation cannot be encoded (${messageOf(cause)}); check names and arguments.`,
    cause,
  );
}

function mapError(cause: unknown, what: string): unknown {
  if (cause instanceof BrokerError) return cause;
  const hint = `RabbitMQ refuses ${what} (${messageOf(cause)})`;
  if (isQueueDown(cause))
    return new BrokerError('queue-down', `${hint}; wait for that node, or take another name.`, cause);
  switch (replyCodeOf(cause)) {
    case REPLY.notFound:
      return new BrokerError('no-queue', `${hint}; declare queue and exchange first.`, cause);
    case REPLY.resourceLocked:
      return new BrokerError('queue-locked', `${hint}; another connection owns it.`, cause);
    case REPLY.accessRefused: {
      const rights = "take a name that this user's rights allow, or another user (docs/broker-users.md)";
      return new BrokerError('topology-refused', `${hint}; ${rights}.`, cause);
    }
    default:
      return new BrokerError('topology-refused', `${hint}; check name, settings and permissions.`, cause);
  }
}
