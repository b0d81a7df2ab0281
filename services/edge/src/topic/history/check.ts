import { createHash, randomBytes } from 'node:crypto';
import type { Delivery, StreamRecord } from '@evenkeel/broker';
import { LogLimit, sleep } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';

/** A message that has not been read from the stream by then is asked after, ms. */
const patienceMs = 3_000;
const lookEveryMs = 1_000;
/** A probe that has not been read by then shows nothing: the stream is not read, or not written. */
const probeMs = 10_000;
/** Of each namespace, on either side; beyond, what is owed is forgotten. */
const maxHeld = 50_000;
/** For so long a record waits for its message to come by the queue, ms. */
const keptMs = 30_000;

export type Routed = Pick<Delivery, 'key' | 'body' | 'properties'>;

export interface CheckedStream {
  /** Writes a record that is no message, with this id. */
  writeProbe(messageId: string): Promise<void>;
  /** Has everybody who reads the stream told that messages have gone past it. */
  markLoss(): Promise<void>;
}

export interface CheckOptions {
  readonly namespace: string;
  readonly stream: CheckedStream;
  /** Steady, ms. */
  now(): number;
  readonly log: Pick<Log, 'warn'>;
}

interface Owed {
  readonly atMs: number;
  /** It is in the stream, or those who have the topic have been told that it is not. */
  isRead: boolean;
  isCounted: boolean;
}

/**
 * Compares what RabbitMQ routes to the history of a namespace with what is in its stream, and has it marked where messages are missing.
 *
 * RabbitMQ before 4.0 confirms messages that it does not write: where the leader of a stream changes while a message of a channel is on
 * its way, the message is sent again with its number among the confirms instead of its number in the stream, and all that follow on the
 * channel count as seen already until the one has caught up with the other (rabbitmq-server#12236). No reply tells the publisher.
 */
export class HistoryCheck {
  readonly #options: CheckOptions;
  readonly #owed = new Map<string, Owed[]>();
  #inOrder: Owed[] = [];
  /** Read before they came by the queue: how many of each; the older ones apart, so that they can be forgotten. */
  #early = new Map<string, number>();
  #older = new Map<string, number>();
  #turnedAtMs: number;
  readonly #warnings = new LogLimit(5_000);
  #probe: { readonly id: string; readonly onRead: (isRead: boolean) => void } | undefined;
  #looking: NodeJS.Timeout | undefined;
  #isLooking = false;
  #stopping = new AbortController();
  #missing = 0;

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#turnedAtMs = options.now();
  }

  /** Messages that were routed to the stream and are not in it. */
  get missing(): number {
    return this.#missing;
  }

  start(): void {
    this.#looking ??= setInterval(() => void this.#look(), lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#probe?.onRead(false);
    this.#stopping.abort();
    this.#stopping = new AbortController();
    this.forget();
    this.#early.clear();
    this.#older.clear();
  }

  /** It came by the queue. */
  onRouted(message: Routed): void {
    if (this.#looking === undefined) return;
    const print = printOf(message);
    if (take(this.#early, print) || take(this.#older, print)) return;
    if (this.#inOrder.length >= maxHeld) return this.forget();
    const owed = { atMs: this.#options.now(), isRead: false, isCounted: false };
    const same = this.#owed.get(print);
    if (same === undefined) this.#owed.set(print, [owed]);
    else same.push(owed);
    this.#inOrder.push(owed);
  }

  /** It is in the stream. */
  onRecord(record: StreamRecord, isMessage: boolean): void {
    if (this.#looking === undefined) return;
    const { messageId } = record.properties;
    if (!isMessage) {
      if (messageId !== undefined && messageId === this.#probe?.id) this.#probe.onRead(true);
      return;
    }
    const print = printOf(record);
    const owed = this.#owed.get(print);
    const first = owed?.shift();
    if (owed?.length === 0) this.#owed.delete(print);
    if (first !== undefined) first.isRead = true;
    else this.#keepEarly(print);
  }

  /**
   * Everybody has been told that messages are missing, or that the stream does not go on where it was: what came before is owed no more.
   * What was read may still come by the queue.
   */
  forget(): void {
    for (const owed of this.#inOrder) owed.isRead = true;
    this.#inOrder = [];
    this.#owed.clear();
  }

  #keepEarly(print: string): void {
    if (this.#early.size >= maxHeld) this.#turn();
    this.#early.set(print, (this.#early.get(print) ?? 0) + 1);
  }

  #turn(): void {
    this.#turnedAtMs = this.#options.now();
    this.#older = this.#early;
    this.#early = new Map();
  }

  async #look(): Promise<void> {
    if (this.#options.now() - this.#turnedAtMs >= keptMs) this.#turn();
    if (this.#isLooking) return;
    this.#inOrder = this.#inOrder.filter(({ isRead }) => !isRead);
    const beforeMs = this.#options.now() - patienceMs;
    const late = this.#inOrder.filter(({ atMs }) => atMs <= beforeMs);
    if (late.length === 0) return;
    this.#isLooking = true;
    try {
      await this.#ask(late);
    } catch {
      // Without the broker, or without the stream, nothing is shown: the next look asks again.
    } finally {
      this.#isLooking = false;
    }
  }

  /**
   * A probe that is read shows that the stream has a leader again which channels have heard of. Each then sends again by itself what it
   * had on its way, so a second one is to follow, as late as a message may be.
   */
  async #ask(late: readonly Owed[]): Promise<void> {
    const { namespace, stream, log } = this.#options;
    if (!(await this.#isReadThrough())) return;
    await sleep(patienceMs, this.#stopping.signal);
    if (late.every(({ isRead }) => isRead) || !(await this.#isReadThrough())) return;
    const missing = late.filter(({ isRead }) => !isRead);
    if (missing.length === 0) return;
    // Once the marks are read they are owed no more: not sooner, since a confirm alone shows nothing here.
    await stream.markLoss();
    for (const owed of missing) {
      if (!owed.isCounted) this.#missing += 1;
      owed.isCounted = true;
    }
    const suppressed = this.#warnings.pass(this.#options.now());
    if (suppressed === undefined) return;
    log.warn(
      { namespace, messages: missing.length, suppressed },
      'messages that RabbitMQ had taken are not in the history: RabbitMQ before 4.0 loses them when the leader of a stream changes',
    );
  }

  async #isReadThrough(): Promise<boolean> {
    const id = randomBytes(12).toString('base64url');
    const isRead = new Promise<boolean>((onRead) => {
      this.#probe = { id, onRead };
    });
    const timer = setTimeout(() => this.#probe?.onRead(false), probeMs);
    try {
      await this.#options.stream.writeProbe(id);
      return await isRead;
    } finally {
      clearTimeout(timer);
      this.#probe = undefined;
    }
  }
}

/** By what a message has alike by a queue and in a stream: RabbitMQ before 4.0 turns headers into others, and ids that are no ASCII. */
function printOf({ key, body, properties: { messageId = '' } }: Routed): string {
  const id = isPlain.test(messageId) ? messageId : '';
  return createHash('sha1').update(`${key}\0${id}\0`).update(body).digest('base64');
}

const isPlain = /^[ -~]*$/;

function take(from: Map<string, number>, print: string): boolean {
  const count = from.get(print);
  if (count === undefined) return false;
  if (count === 1) from.delete(print);
  else from.set(print, count - 1);
  return true;
}
