import { BrokerError, type Log, type TopologyChannels } from '@evenkeel/broker';
import { Fifo, hash32 } from '@evenkeel/pace';

/** What a queue receives: messages to `exchange` whose key matches `key`. */
export interface Binding {
  readonly exchange: string;
  readonly key: string;
}

/** Bindings remembered at most; one more is refused with `topology-overflow`. */
const maxBindings = 100_000;
/** Operations handed to the channels at once. Each channel carries out one after the other, with a time limit from here on. */
const window = 64;
/** A binding to an exchange that somebody else is yet to declare is tried again after this long. */
const missingRetryMs = 500;
/** Longest key that AMQP carries, bytes. */
const maxKeyBytes = 255;

interface Waiter {
  resolve(): void;
  reject(error: BrokerError): void;
}

interface Entry {
  readonly binding: Binding;
  isWanted: boolean;
  isBound: boolean;
  /** It was bound to a queue before this one, or asked for while there was none. */
  isRestored: boolean;
  hasMissedExchange: boolean;
  waiters: Waiter[];
}

interface Operation {
  readonly entry: Entry;
  readonly kind: 'bind' | 'unbind';
  /** It had no answer in time, and may have been carried out. */
  readonly isRepeated?: boolean;
  readonly done?: () => void;
}

export interface BindingsOptions {
  /** Single channels. All that is done to one binding goes over the same one, so it is done in order. */
  channels: readonly Pick<TopologyChannels, 'bind' | 'unbind'>[];
  /** Declares what may be missing on the broker. */
  redeclare(): Promise<void>;
  onRestored(binding: Binding): void;
  /** The queue of this moment is gone or not ours. */
  onFault(why: string): void;
  log: Log;
  /** Default 100,000. */
  maxBindings?: number;
}

/**
 * Bindings that come and go while their queue is made again and again: remembered, applied to each new queue, and
 * carried out in the order of the calls, one after the other for each binding.
 */
export class Bindings {
  readonly #options: BindingsOptions;
  readonly #wanted = new Map<string, Entry>();
  #queue: string | undefined;
  readonly #operations = new Fifo<Operation>();
  #inFlight = 0;
  /** Counts queues: what an operation on an earlier one came to is of no interest. */
  #generation = 0;

  constructor(options: BindingsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#wanted.size;
  }

  /** Remembered bindings that the queue of this moment does not have yet. */
  get missing(): number {
    let missing = 0;
    for (const entry of this.#wanted.values()) if (!entry.isBound) missing += 1;
    return missing;
  }

  /** There is a queue: everything remembered is bound to it. */
  attach(queue: string): void {
    this.detach();
    this.#queue = queue;
    for (const entry of this.#wanted.values()) this.#operations.push({ entry, kind: 'bind' });
    this.#pump();
  }

  /** The queue is gone, and its bindings with it. */
  detach(): void {
    this.#generation += 1;
    this.#queue = undefined;
    this.#inFlight = 0;
    for (const { done } of this.#operations.drain()) done?.();
    for (const entry of this.#wanted.values()) {
      entry.isBound = false;
      entry.isRestored = true;
    }
  }

  bind(binding: Binding, timeoutMs: number): Promise<void> {
    if (Buffer.byteLength(binding.key) > maxKeyBytes) {
      return Promise.reject(
        new BrokerError('topology-refused', `A key has at most ${maxKeyBytes} bytes; take a shorter one.`),
      );
    }
    const id = idOf(binding);
    let entry = this.#wanted.get(id);
    if (entry?.isBound) return Promise.resolve();
    if (entry === undefined) {
      const { maxBindings: most = maxBindings } = this.#options;
      if (this.#wanted.size >= most) {
        return Promise.reject(
          new BrokerError('topology-overflow', `A queue has at most ${most} bindings; use fewer.`),
        );
      }
      const isRestored = this.#queue === undefined;
      entry = { binding, isWanted: true, isBound: false, isRestored, hasMissedExchange: false, waiters: [] };
      this.#wanted.set(id, entry);
      if (this.#queue !== undefined) this.#operations.push({ entry, kind: 'bind' });
    }
    const bound = wait(entry, timeoutMs);
    this.#pump();
    return bound;
  }

  unbind(binding: Binding): Promise<void> {
    const entry = this.#wanted.get(idOf(binding));
    if (entry === undefined) return Promise.resolve();
    this.#forget(entry, 'The binding was removed before it was made.');
    if (this.#queue === undefined) return Promise.resolve();
    return new Promise((done) => {
      this.#operations.push({ entry, kind: 'unbind', done });
      this.#pump();
    });
  }

  /** Nothing more comes of what waits. */
  close(): void {
    this.detach();
    for (const entry of [...this.#wanted.values()]) this.#forget(entry, 'The queue was closed.');
  }

  #pump(): void {
    while (this.#queue !== undefined && this.#inFlight < window) {
      const operation = this.#operations.shift();
      if (operation === undefined) return;
      if (operation.kind === 'bind' && !operation.entry.isWanted) continue;
      if (operation.kind === 'unbind' && operation.isRepeated && this.#isWantedAnew(operation)) continue;
      this.#inFlight += 1;
      void this.#carryOut(operation, this.#queue, this.#generation);
    }
  }

  async #carryOut(operation: Operation, queue: string, generation: number): Promise<void> {
    const { entry, kind, done } = operation;
    const { exchange, key } = entry.binding;
    let failure: unknown;
    try {
      const { channels } = this.#options;
      const channel = channels[hash32(key) % channels.length];
      if (kind === 'bind') await channel?.bind(queue, exchange, key);
      else await channel?.unbind(queue, exchange, key);
    } catch (error) {
      failure = error;
    }
    if (generation !== this.#generation) {
      done?.();
      return;
    }
    this.#inFlight -= 1;
    if (failure === undefined) this.#succeeded(operation);
    else this.#failed(operation, failure);
    this.#pump();
  }

  /** Asked for again after it was to be removed: then the binding stays. */
  #isWantedAnew({ entry, done }: Operation): boolean {
    const isWanted = this.#wanted.has(idOf(entry.binding));
    if (isWanted) done?.();
    return isWanted;
  }

  #succeeded({ entry, kind, done }: Operation): void {
    done?.();
    if (kind === 'unbind' || !entry.isWanted) return;
    entry.isBound = true;
    entry.hasMissedExchange = false;
    const { waiters, isRestored } = entry;
    entry.waiters = [];
    entry.isRestored = false;
    for (const waiter of waiters) waiter.resolve();
    if (isRestored) this.#options.onRestored(entry.binding);
  }

  #failed(operation: Operation, error: unknown): void {
    const { entry, kind, done } = operation;
    const code = error instanceof BrokerError ? error.code : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    if (code === 'broker-closed') return done?.();
    const isMissing = code === 'no-queue' && reason.includes('no exchange');
    if (kind === 'unbind') {
      // No answer in time: it may still be bound.
      if (code === 'broker-unavailable')
        return void this.#operations.push({ ...operation, isRepeated: true });
      done?.();
      if ((code === 'no-queue' && !isMissing) || code === 'queue-locked') this.#options.onFault(reason);
      return;
    }
    if (code === 'topology-refused' || (isMissing && entry.hasMissedExchange)) {
      this.#options.log.warn({ ...entry.binding, reason }, 'binding refused');
      this.#forget(entry, reason);
    } else if (isMissing) {
      entry.hasMissedExchange = true;
      const generation = this.#generation;
      const again = () => {
        if (generation !== this.#generation) return;
        this.#operations.push(operation);
        this.#pump();
      };
      this.#options.redeclare().then(again, () => {
        // Whoever declares it has not yet.
        entry.hasMissedExchange = false;
        setTimeout(again, missingRetryMs).unref();
      });
    } else if (code === 'no-queue' || code === 'queue-locked') {
      this.#options.onFault(reason);
    } else {
      // No answer in time: it may have been carried out, and twice is as good as once.
      this.#operations.push(operation);
    }
  }

  #forget(entry: Entry, why: string): void {
    entry.isWanted = false;
    this.#wanted.delete(idOf(entry.binding));
    const { waiters } = entry;
    entry.waiters = [];
    for (const waiter of waiters) waiter.reject(new BrokerError('topology-refused', why));
  }
}

const idOf = ({ exchange, key }: Binding): string => `${exchange}\n${key}`;

function wait(entry: Entry, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiter: Waiter = {
      resolve: () => {
        clearTimeout(timer);
        resolve();
      },
      reject: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    };
    const timer = setTimeout(() => {
      entry.waiters = entry.waiters.filter((each) => each !== waiter);
      reject(
        new BrokerError(
          'broker-unavailable',
          `Not bound within ${timeoutMs} ms; it is tried on until unbound.`,
        ),
      );
    }, timeoutMs);
    entry.waiters.push(waiter);
  });
}
