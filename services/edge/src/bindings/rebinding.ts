import { LogLimit } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';
import type { Life, Who } from '../life/life.js';

/** Queues bound again at a time. */
const maxBinding = 32;
/** Between two looks for sessions that are still to be seen to. */
const lookEveryMs = 1_000;
/** Sessions that come here by then may come from an edge that had let them go before it knew. */
const arrivalsMs = 30_000;
const logEveryMs = 10_000;

/** What has been seen to of a loss, and the sessions that are being. */
const nothingDone = () => ({
  streams: new Set<string>(),
  sessions: new Set<string>(),
  underWay: new Map<string, Promise<boolean>>(),
});

export interface RebindingOptions {
  readonly life: Pick<Life, 'keys' | 'get'>;
  /** Binds the session's queue to `mesh.events` again, and marks where events went past it. False: it has none. */
  bindSession(who: Who): Promise<boolean>;
  /** The same for the history of each namespace. */
  readonly streams: ReadonlyMap<string, { bindAgain(): Promise<void> }>;
  /** The session's queue was made since this time: it has every binding. */
  isYounger(key: string, sinceMs: number): boolean;
  /** A clock that nobody sets. */
  now(): number;
  readonly log: Pick<Log, 'warn'>;
}

/** Once bindings have gone: binds the histories of topics again, and the queues of this edge's sessions, with a connection or without. */
export class Rebinding {
  /** Sessions whose queues were bound again. */
  rebound = 0;
  readonly #options: RebindingOptions;
  readonly #failedLog = new LogLimit(logEveryMs);
  /** What is done of this loss. */
  #done = nothingDone();
  #lostAtMs = Number.NEGATIVE_INFINITY;
  #looking: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isStopped = false;

  constructor(options: RebindingOptions) {
    this.#options = options;
  }

  /** They have gone, maybe once more. */
  begin(): void {
    this.#lostAtMs = this.#options.now();
    this.#done = nothingDone();
    this.stop();
    this.#isStopped = false;
    this.#looking = setInterval(() => void this.#look(), lookEveryMs);
    void this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#looking);
  }

  /** Bindings have gone a short while ago, and this session's queue is not seen to yet. */
  owes(key: string): boolean {
    return !this.#isLate && !this.#done.sessions.has(key);
  }

  /** The same of the history of a namespace. */
  get owesHistory(): boolean {
    return !this.#isLate && this.#done.streams.size < this.#options.streams.size;
  }

  /**
   * Sees to the session's queue by `bind`, unless that is done or under way: its client is told once, whoever comes upon it first. False:
   * there was none to be bound again. Rejects as `bind` does.
   */
  async once(key: string, bind: () => Promise<boolean>): Promise<boolean> {
    const { sessions, underWay } = this.#done;
    if (sessions.has(key)) return true;
    let binding = underWay.get(key);
    if (binding === undefined) {
      binding = Promise.resolve().then(bind);
      underWay.set(key, binding);
      const isDone = binding.then(
        (isBoundAgain) => {
          sessions.add(key);
          if (isBoundAgain) this.rebound += 1;
        },
        () => undefined,
      );
      void isDone.then(() => underWay.delete(key));
    }
    return await binding;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const done = this.#done;
    const due = this.#due();
    await Promise.all([
      ...Array.from({ length: maxBinding }, () => this.#bindEach(due)),
      this.#bindStreams(done.streams),
    ]);
    this.#isLooking = false;
    const isDone = this.#done.streams.size === this.#options.streams.size && this.#due().length === 0;
    if (this.#isLate && isDone) this.stop();
  }

  get #isLate(): boolean {
    return this.#options.now() - this.#lostAtMs >= arrivalsMs;
  }

  #due(): string[] {
    const { life, isYounger } = this.#options;
    const { sessions } = this.#done;
    const due: string[] = [];
    for (const key of life.keys()) {
      if (sessions.has(key)) continue;
      if (isYounger(key, this.#lostAtMs)) sessions.add(key);
      else due.push(key);
    }
    return due;
  }

  async #bindEach(due: string[]): Promise<void> {
    for (let key = due.pop(); key !== undefined && !this.#isStopped; key = due.pop()) {
      const session = key;
      const who = this.#options.life.get(session);
      if (who === undefined) continue;
      await this.#tried(
        async () => {
          await this.once(session, () => this.#options.bindSession(who));
        },
        { session },
      );
    }
  }

  async #bindStreams(done: Set<string>): Promise<void> {
    for (const [namespace, stream] of this.#options.streams) {
      if (done.has(namespace)) continue;
      if (await this.#tried(() => stream.bindAgain(), { namespace })) done.add(namespace);
    }
  }

  /** What fails is tried again with the next look. */
  async #tried(bind: () => Promise<void>, what: { session?: string; namespace?: string }): Promise<boolean> {
    try {
      await bind();
      return true;
    } catch (error) {
      const suppressed = this.#failedLog.pass(performance.now());
      if (suppressed !== undefined)
        this.#options.log.warn({ err: error, ...what, suppressed }, 'not bound again yet');
      return false;
    }
  }
}
