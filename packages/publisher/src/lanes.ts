import { Fifo } from '@evenkeel/pace';

/** What became of an entry: done with it, or ms until it is to be tried again, before what came after it. */
export type Turn = { readonly againInMs: number } | undefined;

interface Lane<Entry> {
  readonly key: string;
  readonly waiting: Fifo<Entry>;
  /** The first: it stays that until it is done with. */
  current: Entry;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Carries out entries: those of one lane one after another, in the order in which they came, those of different lanes side by
 * side, at most `concurrency`. A lane whose first entry is to be tried again later waits with it, and takes no place meanwhile; one
 * behind which `crowd` entries wait is tried again at once, or it would keep out what is of other lanes.
 */
export class Lanes<Entry> {
  readonly #concurrency: number;
  readonly #carryOut: (entry: Entry) => Promise<Turn>;
  readonly #crowd: number;
  readonly #lanes = new Map<string, Lane<Entry>>();
  readonly #ready = new Fifo<Lane<Entry>>();
  readonly #running = new Map<Lane<Entry>, Promise<void>>();
  #isStopped = false;

  /** `carryOut` never rejects. */
  constructor(
    concurrency: number,
    carryOut: (entry: Entry) => Promise<Turn>,
    crowd = Number.POSITIVE_INFINITY,
  ) {
    this.#crowd = crowd;
    this.#concurrency = concurrency;
    this.#carryOut = carryOut;
  }

  /** Nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#lanes.size === 0;
  }

  push(key: string, entry: Entry): void {
    const lane = this.#lanes.get(key);
    if (lane) return lane.waiting.push(entry);
    const made: Lane<Entry> = { key, waiting: new Fifo(), current: entry, timer: undefined };
    this.#lanes.set(key, made);
    this.#ready.push(made);
    this.#pump();
  }

  /** What is neither running nor done is forgotten, and given back, lane by lane in order. */
  drain(): Entry[] {
    const left: Entry[] = [];
    for (const lane of [...this.#lanes.values()]) {
      if (!this.#running.has(lane)) {
        clearTimeout(lane.timer);
        this.#lanes.delete(lane.key);
        left.push(lane.current);
      }
      left.push(...lane.waiting.drain());
    }
    this.#ready.drain();
    return left;
  }

  /** Starts nothing from now on. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when nothing runs. After {@link stop}: for good. */
  async finished(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** What runs at this moment. */
  get running(): Entry[] {
    return [...this.#running.keys()].map(({ current }) => current);
  }

  #pump(): void {
    while (!this.#isStopped && this.#running.size < this.#concurrency) {
      const lane = this.#ready.shift();
      if (!lane) return;
      this.#running.set(lane, this.#run(lane));
    }
  }

  async #run(lane: Lane<Entry>): Promise<void> {
    const turn = await this.#carryOut(lane.current);
    this.#running.delete(lane);
    if (turn) this.#later(lane, turn.againInMs);
    else this.#next(lane);
    this.#pump();
  }

  #next(lane: Lane<Entry>): void {
    const next = lane.waiting.shift();
    if (next === undefined) {
      this.#lanes.delete(lane.key);
      return;
    }
    lane.current = next;
    this.#ready.push(lane);
  }

  #later(lane: Lane<Entry>, ms: number): void {
    if (this.#isStopped) return;
    lane.timer = setTimeout(
      () => {
        this.#ready.push(lane);
        this.#pump();
      },
      lane.waiting.length >= this.#crowd ? 0 : ms,
    );
  }
}
