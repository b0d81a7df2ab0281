import type { Broker, Delivery, Log, StreamReader } from '@evenkeel/broker';
import { LogLimit } from '@evenkeel/pace';
import { type DenialRecord, denialRecord, queues } from '@evenkeel/protocol';
import { untilAborted } from '../incarnation.js';
import { readJson } from '../json.js';
import { isSentTo } from '../sender.js';
import { type Deniable, DenialList, type Denied } from './list.js';

export interface DenialsOptions {
  connection: Pick<Broker, 'stream'>;
  /** ms since the epoch. */
  now(): number;
  log: Pick<Log, 'warn'>;
  /** Somebody may be kept out now who was not. Called once for all that is told in one turn. */
  onChange?(): void;
  /** A record that has come after the stream had been read, and counts already. */
  onRecord?(record: DenialRecord): void;
  /** The stream has been read anew, and these are not in it any more: it was emptied, or made again. */
  onMissing?(denied: readonly Denied[]): void;
}

/**
 * Who is kept out, from the stream `mesh.denials`. What is known stays known while there is no broker and no stream; after each
 * loss the stream is read again from its first record, and counts once it has been read whole.
 */
export class Denials {
  readonly #options: DenialsOptions;
  readonly #reader: StreamReader;
  readonly #overflowLog = new LogLimit(10_000);
  readonly #strangeLog = new LogLimit(10_000);
  #list = new DenialList();
  /** While it is being read again. */
  #next: DenialList | undefined;
  #isTelling = false;
  #onRead: () => void = () => {};
  readonly #read = new Promise<void>((resolve) => {
    this.#onRead = resolve;
  });
  #isRead = false;

  constructor(options: DenialsOptions) {
    this.#options = options;
    this.#reader = options.connection.stream(queues.denials, {
      onStart: () => {
        this.#next = new DenialList();
      },
      onRecord: (record) => this.#onRecord(record),
      onCaughtUp: () => this.#onCaughtUp(),
      onLost: () => {
        // What of it is known already counts when it has been read whole.
        this.#next = undefined;
      },
    });
  }

  /** How many are in force. */
  get size(): number {
    return this.#list.count(this.#options.now());
  }

  /** True once it has been read: what is known from then on counts without a broker too. */
  readiness(): true | string {
    return this.#isRead || this.#reader.readiness();
  }

  /** What keeps newer denials from coming in; undefined: nothing. */
  lag(): string | undefined {
    const readiness = this.#reader.readiness();
    return readiness === true ? undefined : `no new denials: ${readiness}`;
  }

  /** Resolves when the stream has been read for the first time; waits for ever meanwhile. @throws what `signal` says. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#reader.start();
    await (signal === undefined ? this.#read : untilAborted(this.#read, signal));
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }

  denies(who: Deniable): boolean {
    return this.#list.denies(who, this.#options.now());
  }

  /** Whether it is in force with this very end: no record since has ended or changed it. */
  holds(denied: Denied): boolean {
    return this.#list.holds(denied, this.#options.now());
  }

  /** Whether one more denial would be held. */
  hasRoom(): boolean {
    return this.#list.hasRoom(this.#options.now());
  }

  /** Those that are in force. */
  inForce(): Iterable<Denied> {
    return this.#list.inForce(this.#options.now());
  }

  #onRecord(delivery: Pick<Delivery, 'body' | 'exchange' | 'key' | 'properties'>): void {
    const record = this.#understand(delivery);
    if (record === undefined) return;
    const list = this.#next ?? this.#list;
    const isHeld = list.apply(record, this.#options.now());
    if (!isHeld) {
      const suppressed = this.#overflowLog.pass(performance.now());
      if (suppressed !== undefined)
        this.#options.log.warn(
          { held: list.count(this.#options.now()), suppressed },
          'denial not held: there are too many',
        );
    }
    if (this.#next !== undefined) return;
    this.#options.onRecord?.(record);
    if (record.kind === 'deny' && isHeld) this.#changed();
  }

  #understand(
    delivery: Pick<Delivery, 'body' | 'exchange' | 'key' | 'properties'>,
  ): DenialRecord | undefined {
    const parsed = denialRecord.safeParse(readJson(delivery.body));
    // Only who may write to any queue by its name, the balancer, gets there without a binding.
    if (parsed.success && isSentTo(delivery, '')) return parsed.data;
    const suppressed = this.#strangeLog.pass(performance.now());
    if (suppressed !== undefined)
      this.#options.log.warn(
        { reason: parsed.error?.issues[0]?.message, suppressed },
        'denial not understood',
      );
    return undefined;
  }

  #onCaughtUp(): void {
    const { now, onMissing } = this.#options;
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    const missing = next.keepFrom(this.#list, now());
    next.forgetNames();
    this.#list = next;
    this.#isRead = true;
    this.#onRead();
    this.#changed();
    if (missing.length > 0) onMissing?.(missing);
  }

  #changed(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.#options.onChange?.();
    });
  }
}
