import { randomBytes } from 'node:crypto';
import type { Broker, Log, Publisher, StreamReader, StreamRecord, TopologyChannels } from '@evenkeel/broker';
import { LogLimit } from '@evenkeel/pace';
import { exchanges, historyHeader, historyQueue, lossMarks, topicKey, topicOfKey } from '@evenkeel/protocol';
import { Ahead } from './ahead.js';
import { lossMarkOf } from './loss-mark.js';
import { Past } from './past.js';
import { printOf, readPosition } from './position.js';
import { Question } from './question.js';
import type { Recovery } from './recovery.js';
import { type HistoryLimits, HistoryTail, type Place, type TailBounds, type TailRecord } from './tail.js';
import type { Turns } from './turns.js';

/** RabbitMQ drops whole segments, so this much is kept in any case. */
const segmentBytes = 16_000_000;
const lookEveryMs = 250;

type StreamTopology = Pick<TopologyChannels, 'declareQueue' | 'bind'>;

/** What is made of a record for whoever reads the history. */
export interface Made<T> {
  readonly item: T;
  /** What it takes of memory. */
  readonly bytes: number;
  /** When it was published, ms since the epoch; undefined: it does not say. */
  readonly atMs: number | undefined;
}

export interface HistoryStreamOptions<T> {
  readonly namespace: string;
  readonly limits: HistoryLimits;
  readonly bounds: TailBounds;
  /** Of the stream on disk, beside its age. */
  readonly maxStreamBytes: number;
  readonly connection: Pick<Broker, 'stream' | 'readStreamPart'>;
  /** With both the stream is declared, and gets its first record; without it is only read, and waited for. */
  readonly declaring?:
    | {
        readonly topology: StreamTopology;
        readonly publisher: Pick<Publisher, 'publish'>;
        /** Whether messages may have gone past it, since its binding of them had gone. */
        hasLostBinding?(): Promise<boolean>;
      }
    | undefined;
  readonly turns: Turns;
  make(record: StreamRecord, nowMs: number): Made<T>;
  /** Each record as it is read, messages and others; some may come again after a loss. */
  onRecord?(record: StreamRecord, isMessage: boolean): void;
  /** One message that has come after the stream was first read, in the order of the stream. */
  onMessage?(record: TailRecord<T>): void;
  /** What comes from now on need not follow what has come: records are missing between, or it is another stream. */
  onBreak?(): void;
  now(): number;
  readonly log: Pick<Log, 'warn' | 'info'>;
}

interface Waiting<T> {
  readonly topic: string;
  readonly since: Place;
  readonly onAnswer: (recovery: Recovery<T>) => void;
}

/** The history of one namespace: its stream read from its tail on, kept in part, and older parts read when they are asked for. */
export class HistoryStream<T> {
  readonly tail: HistoryTail<T>;
  readonly #options: HistoryStreamOptions<T>;
  readonly #queue: string;
  readonly #reader: StreamReader;
  readonly #past: Past<T>;
  readonly #breaks = new LogLimit(5_000);
  readonly #ahead = new Ahead();
  #waiting: Waiting<T>[] = [];
  #looking: NodeJS.Timeout | undefined;
  #isRead = false;
  #isCaughtUp = false;
  /** Offset of the last record at the beginning of this reading. */
  #end = -1;
  /** Records up to this one were there before anybody could have been told of them. */
  #oldUpTo = -1;
  /** It is another stream than before, or records are missing: that is told once it has been read. */
  #isBroken = false;
  /** Offset of the mark behind which messages went past it; -1: none that was read. */
  #passedByAt = -1;
  /** They are to be told of. */
  #isPassedBy = false;
  /** The next record is the one that was read last. */
  #isResuming = false;
  #onRead: () => void = () => {};
  readonly #read = new Promise<void>((resolve) => {
    this.#onRead = resolve;
  });

  constructor(options: HistoryStreamOptions<T>) {
    const { namespace, limits, bounds, connection, turns, now } = options;
    this.#options = options;
    this.#queue = historyQueue(namespace);
    this.tail = new HistoryTail(limits, bounds);
    this.#past = new Past({
      queue: this.#queue,
      connection,
      tail: this.tail,
      turns,
      topicsOf: (record) => this.#topicsOf(record),
      make: (record, offset, topics) => this.#make(record, offset, topics),
      now,
    });
    this.#reader = connection.stream(
      this.#queue,
      {
        onStart: () => {
          this.#isCaughtUp = false;
        },
        onRecord: (record, offset) => this.#onRecord(record, offset),
        onCaughtUp: () => this.#onCaughtUp(),
        onLost: () => {
          this.#isCaughtUp = false;
        },
      },
      { prepare: () => this.#declare(), from: (last) => this.#from(last) },
    );
  }

  /** What is kept of each topic. */
  get limits(): HistoryLimits {
    return this.#options.limits;
  }

  /** How many records are known to be in the stream that have not been read here yet. */
  get behind(): number {
    return this.#isCaughtUp ? 0 : Math.max(0, this.#end - (this.tail.last?.offset ?? -1));
  }

  /** Before its newest record some are missing, of which {@link HistoryStreamOptions.onBreak} is still to tell. */
  get isInterrupted(): boolean {
    return this.#isBroken || this.#isPassedBy;
  }

  /** Questions that a look into the stream is to answer. */
  get asking(): number {
    return this.#past.waiting;
  }

  /** True once it has been read to its end for the first time: what was read counts through losses of the broker. */
  readiness(): true | string {
    if (this.#isRead) return true;
    const name = `history stream ${this.#options.namespace}`;
    if (this.behind > 0) return `${name}: ${this.behind.toLocaleString('en')} messages behind`;
    const readiness = this.#reader.readiness();
    return `${name}: ${readiness === true ? 'no record yet' : readiness}`;
  }

  /** Reads from now on; resolves once it has been read to its end. */
  start(): Promise<void> {
    this.#reader.start();
    this.#looking = setInterval(() => this.#look(), lookEveryMs);
    return this.#read;
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    await this.#reader.stop();
  }

  /**
   * What came behind a position: `onAnswer` is called in the turn in which the answer reaches up to the newest record here, at once if
   * the tail has it.
   */
  since(topic: string, text: string, onAnswer: (recovery: Recovery<T>) => void): void {
    const since = readPosition(text);
    if (since === undefined) return onAnswer(this.#lost());
    this.behindPlace(topic, since, onAnswer);
  }

  /** The same, for who has been here before. */
  behindPlace(topic: string, since: Place, onAnswer: (recovery: Recovery<T>) => void): void {
    this.#since({ topic, since, onAnswer });
  }

  /** The newest messages of a topic, at most so many, and never `lost`; `newest` where older ones could not be read in time. */
  last(topic: string, count: number, onAnswer: (recovery: Recovery<T>) => void): void {
    const { limits, now } = this.#options;
    const { records, isWhole } = this.tail.newest(topic, count, now());
    if (isWhole || count === 0) return onAnswer(this.#all(records));
    this.#past.ask(new Question<T>(topic, { last: count }, limits), (answer) =>
      onAnswer({ ...answer, upTo: this.tail.last }),
    );
  }

  /**
   * Its binding of messages has gone, and messages with it: binds it again, between two marks. Whoever reads it tells so where they stand.
   * Idempotent, but for what is told.
   * @throws BrokerError when that is not done.
   */
  async bindAgain(): Promise<void> {
    const { declaring } = this.#options;
    if (declaring === undefined) return;
    await this.#declareTo(declaring.topology);
    await this.#write(lossMarks.begin);
    await this.#bindMessages(declaring.topology);
    await this.#write(lossMarks.end);
  }

  /** Messages have gone past it, and its binding is there: writes two marks. @throws BrokerError when that is not done. */
  async markLoss(): Promise<void> {
    await this.#write(lossMarks.begin);
    await this.#write(lossMarks.end);
  }

  /** Writes a record that is no message: it shows to who reads it that all written before has been read. @throws BrokerError */
  async writeProbe(messageId: string): Promise<void> {
    await this.#write(1, messageId);
  }

  #since(asked: Waiting<T>): void {
    const { topic, since, onAnswer } = asked;
    const { limits, now } = this.#options;
    if (since.offset < this.#passedByAt) return onAnswer(this.#lost());
    const { last } = this.tail;
    // Another reader may have been ahead of this one.
    if ((last === undefined || since.offset > last.offset) && this.#ahead.isAwaited(since)) {
      this.#waiting.push(asked);
      return;
    }
    const found = this.tail.since(topic, since, now());
    if (found.is === 'all') return onAnswer(this.#all(found.records));
    if (found.is === 'lost') return onAnswer(this.#lost());
    this.#past.ask(new Question<T>(topic, { since }, limits), ({ is, records }) => {
      // The tail may have gone on behind a mark meanwhile.
      const isWhole = is === 'all' && since.offset >= this.#passedByAt;
      onAnswer(isWhole ? this.#all(records) : this.#lost());
    });
  }

  #look(): void {
    // Without a broker nobody knows.
    if (this.#isCaughtUp) this.#ahead.passed(lookEveryMs);
    this.#answerWaiting();
  }

  #answerWaiting(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) this.#since(each);
  }

  #all(records: readonly TailRecord<T>[]): Recovery<T> {
    return { is: 'all', records, upTo: this.tail.last };
  }

  #lost(): Recovery<T> {
    return { is: 'lost', records: [], upTo: this.tail.last };
  }

  async #declare(): Promise<void> {
    const { declaring } = this.#options;
    if (declaring === undefined) return;
    if (await declaring.hasLostBinding?.()) return await this.bindAgain();
    await this.#declareTo(declaring.topology);
    await this.#bindMessages(declaring.topology);
  }

  async #declareTo(topology: StreamTopology): Promise<void> {
    const { limits, maxStreamBytes } = this.#options;
    const arguments_ = {
      'x-queue-type': 'stream',
      'x-max-age': `${limits.seconds}s`,
      'x-max-length-bytes': maxStreamBytes,
      'x-stream-max-segment-size-bytes': segmentBytes,
    };
    await topology.declareQueue({ name: this.#queue, arguments: arguments_ });
    await topology.bind(this.#queue, exchanges.replies, this.#queue);
  }

  async #bindMessages(topology: StreamTopology): Promise<void> {
    await topology.bind(this.#queue, exchanges.events, topicKey(`${this.#options.namespace}.#`));
  }

  /** A record that is no message. */
  async #write(
    value: string | number,
    messageId: string = randomBytes(12).toString('base64url'),
  ): Promise<void> {
    await this.#options.declaring?.publisher.publish(exchanges.replies, this.#queue, '', {
      persistent: true,
      messageId,
      headers: { [historyHeader]: value },
    });
  }

  #from(end: number): number | 'first' {
    this.#end = end;
    const { last } = this.tail;
    this.#isResuming = last !== undefined && last.offset <= end;
    if (this.#isResuming && last !== undefined) return last.offset;
    if (last !== undefined) this.#break('it is shorter than it was');
    this.#oldUpTo = end;
    const from = end - this.#options.bounds.maxRecords + 1;
    this.tail.reset(from <= 0);
    return from <= 0 ? 'first' : from;
  }

  #onRecord(record: StreamRecord, offset: number): boolean {
    if (this.#isResuming) return this.#resume(record, offset);
    const topics = this.#topicsOf(record);
    this.#options.onRecord?.(record, topics.length > 0);
    const mark = lossMarkOf(record);
    if (mark === 'begin') this.#lacksFrom(offset);
    else if (mark === 'end' || topics.length > 0) this.#tellPassedBy();
    const made = this.#make(record, offset, topics);
    this.tail.add(made);
    const isNew = offset > this.#oldUpTo && !this.#isBroken;
    if (topics.length > 0 && isNew) this.#options.onMessage?.(made);
    if (this.#waiting.length > 0) this.#answerWaiting();
    return true;
  }

  /** Messages went past it from here on. Each edge says so for itself. */
  #lacksFrom(offset: number): void {
    this.#isPassedBy = true;
    this.#passedByAt = offset;
    this.tail.reset(false);
  }

  /** Once they do not any more, or with the first message that shows that: who looks then for what is missing finds it all. */
  #tellPassedBy(): void {
    if (!this.#isPassedBy) return;
    this.#isPassedBy = false;
    if (this.#isCaughtUp) this.#options.onBreak?.();
    else this.#isBroken = true;
  }

  /** It is read from the record that was read last, to see that it is the same stream still. */
  #resume(record: StreamRecord, offset: number): boolean {
    this.#isResuming = false;
    const { last } = this.tail;
    if (last !== undefined && offset === last.offset && printOf(record) === last.print) return true;
    this.#break(offset === last?.offset ? 'it is another stream' : 'what follows is gone');
    return false;
  }

  #break(why: string): void {
    const suppressed = this.#breaks.pass(performance.now());
    if (suppressed !== undefined) {
      this.#options.log.warn({ queue: this.#queue, reason: why, suppressed }, 'history does not go on');
    }
    this.tail.reset(false);
    this.#passedByAt = -1;
    this.#isPassedBy = false;
    this.#isBroken = true;
  }

  #onCaughtUp(): void {
    this.#isCaughtUp = true;
    if (this.#isBroken) {
      this.#isBroken = false;
      this.#options.onBreak?.();
    }
    if (this.tail.last === undefined) return void this.#begin();
    this.#isRead = true;
    this.#onRead();
  }

  /** The stream is empty: it gets a record, so that there is a position. It is read like the others, and is no message. */
  async #begin(): Promise<void> {
    await this.#write(1).catch(() => {});
    this.#isRead = true;
    this.#onRead();
  }

  #topicsOf({ exchange, key }: StreamRecord): readonly string[] {
    if (exchange !== exchanges.events) return [];
    const topic = topicOfKey(key);
    // By CC it may have come here with the key of another namespace; the stream has lost the others.
    const { namespace } = this.#options;
    return topic !== undefined && (topic === namespace || topic.startsWith(`${namespace}.`)) ? [topic] : [];
  }

  #make(record: StreamRecord, offset: number, topics: readonly string[]): TailRecord<T> {
    const nowMs = this.#options.now();
    const print = printOf(record);
    const { item, bytes, atMs } = this.#options.make(record, nowMs);
    // Who says that it comes from the future comes from now.
    return { offset, print, topics, item, bytes, atMs: Math.min(atMs ?? nowMs, nowMs) };
  }
}
