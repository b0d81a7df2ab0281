import type { Broker, StreamRecord } from '@evenkeel/broker';
import { sleep } from '@evenkeel/pace';
import { lossMarkOf } from './loss-mark.js';
import type { Question } from './question.js';
import type { HistoryTail, TailRecord } from './tail.js';
import type { Turns } from './turns.js';

/** Longest that a look into the stream may take, and longest without a record, ms. */
const limits = { timeoutMs: 10_000, quietMs: 2_000, retryMs: 200 };

export interface PastOptions<T> {
  readonly queue: string;
  readonly connection: Pick<Broker, 'readStreamPart'>;
  readonly tail: HistoryTail<T>;
  /** Looks of all streams together. */
  readonly turns: Turns;
  topicsOf(record: StreamRecord): readonly string[];
  make(record: StreamRecord, offset: number, topics: readonly string[]): TailRecord<T>;
  now(): number;
}

interface Asked<T> {
  readonly question: Question<T>;
  readonly onAnswer: (answer: ReturnType<Question<T>['answer']>) => void;
}

/** Looks into a stream for what is older than its tail. Whoever asks while somebody is being answered is answered with the others. */
export class Past<T> {
  readonly #options: PastOptions<T>;
  #waiting: Asked<T>[] = [];
  #isLooking = false;

  constructor(options: PastOptions<T>) {
    this.#options = options;
  }

  /** How many wait for an answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** `onAnswer` is called in the turn in which the answer reaches up to the newest record. */
  ask(question: Question<T>, onAnswer: Asked<T>['onAnswer']): void {
    this.#waiting.push({ question, onAnswer });
    if (!this.#isLooking) void this.#look();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#waiting.length > 0) {
      await this.#options.turns.take(async () => {
        const asked = this.#waiting;
        this.#waiting = [];
        await this.#answer(asked);
      });
    }
    this.#isLooking = false;
  }

  async #answer(asked: readonly Asked<T>[]): Promise<void> {
    const { now, tail } = this.#options;
    const endsAtMs = performance.now() + limits.timeoutMs;
    const pass = new Pass(asked, this.#options);
    let isWhole = false;
    for (;;) {
      const leftMs = endsAtMs - performance.now();
      if (leftMs <= 0) break;
      const hasReached = await this.#read(pass, leftMs).catch(() => false);
      // The tail may have gone on since.
      isWhole = hasReached && pass.isAtTail;
      if (isWhole || pass.isOver) break;
      if (hasReached) continue;
      await sleep(limits.retryMs).catch(() => {});
    }
    for (const { question, onAnswer } of asked) {
      onAnswer(question.answer(tail.after(question.topic, pass.reached), isWhole, now()));
    }
  }

  #read(pass: Pass<T>, timeoutMs: number): Promise<boolean> {
    const { connection, queue } = this.#options;
    return connection.readStreamPart(queue, {
      from: pass.next,
      timeoutMs,
      quietMs: limits.quietMs,
      onRecord: (record, offset) => pass.onRecord(record, offset),
    });
  }
}

/** One reading for several questions, which may take several attempts. */
class Pass<T> {
  /** The newest that was seen. */
  reached: number;
  readonly #options: PastOptions<T>;
  readonly #byTopic = new Map<string, Question<T>[]>();
  /** Those that have not found where they begin, by that; the nearest last. */
  readonly #beginning: Question<T>[];

  constructor(asked: readonly Asked<T>[], options: PastOptions<T>) {
    this.#options = options;
    for (const { question } of asked) {
      const others = this.#byTopic.get(question.topic);
      if (others === undefined) this.#byTopic.set(question.topic, [question]);
      else others.push(question);
    }
    this.#beginning = asked.map(({ question }) => question).sort((a, b) => b.from - a.from);
    this.reached = (this.#beginning.at(-1)?.from ?? 0) - 1;
  }

  get next(): number {
    return this.reached + 1;
  }

  /** What the tail has goes on from here. */
  get isAtTail(): boolean {
    const { floor } = this.#options.tail;
    return floor !== undefined && this.next >= floor;
  }

  /** Nobody can be answered any better. */
  get isOver(): boolean {
    return [...this.#byTopic.values()].flat().every(({ isLost }) => isLost);
  }

  /** True: it has got to what the tail has. */
  onRecord(record: StreamRecord, offset: number): boolean {
    const { topicsOf, make } = this.#options;
    for (let next = this.#beginning.at(-1); next !== undefined && next.from <= offset; ) {
      next.see(offset, record);
      this.#beginning.pop();
      next = this.#beginning.at(-1);
    }
    if (lossMarkOf(record) === 'begin') {
      for (const questions of this.#byTopic.values())
        for (const question of questions) question.lacks(offset);
    }
    const topics = topicsOf(record);
    let made: TailRecord<T> | undefined;
    for (const topic of topics) {
      for (const question of this.#byTopic.get(topic) ?? []) {
        made ??= make(record, offset, topics);
        question.add(made);
      }
    }
    this.reached = offset;
    return this.isAtTail;
  }
}
