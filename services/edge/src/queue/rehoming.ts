import { setMaxListeners } from 'node:events';
import { sleep } from '@evenkeel/pace';
import type { NodeStats } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Sessions whose queues are changed at a time. */
const atOnce = 16;
/** How often it is looked for those that are to be, ms. */
const lookMs = 100;
/** One that takes longer waits for its client, and counts no more, ms. */
const quickMs = 2_000;
/** The queue before is kept so long, for what RabbitMQ hands to it late, ms. */
const retiredAfterMs = 10_000;
/** One whose queue could not be changed is tried again after this, ms. */
const againMs = 1_000;
/** So long this edge keeps away from a broker that it was told to leave, ms: until that has been restarted, most likely. */
const avoidMs = 600_000;

/** A session whose queue may be changed. */
export interface Rehomable {
  readonly state: string;
  /** It is being moved. */
  readonly move: object | undefined;
  readonly intake: {
    /** The broker that its queue was made at; undefined: nobody knows. */
    readonly home: string | undefined;
    readonly changes: { readonly isOn: boolean };
    /** `retire`: the queue before is to be deleted some time later. */
    changeQueue(): Promise<{ readonly outcome: string; retire?(): Promise<void> }>;
  };
}

export interface RehomingOptions {
  readonly mesh: {
    readonly brokers: { readonly known: readonly string[]; readonly at: readonly string[] };
    readonly consuming: { readonly address: string | undefined };
    avoid(broker: string, ms: number): void;
    leave(broker: string): void;
  };
  readonly directory: { values(): Iterable<Rehomable> };
  /** A clock that nobody sets, ms. */
  now(): number;
  readonly log: Pick<Log, 'info'>;
}

/**
 * Leaves a broker that is to be taken down: its sessions' queues that may live there go to the one that this edge is connected to, while
 * it is another, and its own connections go elsewhere once it is told so.
 */
export class Rehoming {
  /** Queues changed, by what came of it. */
  readonly counts = { done: 0, lost: 0 };
  readonly #options: RehomingOptions;
  readonly #notBeforeMs = new WeakMap<Rehomable, number>();
  /** Those whose queues are being changed, since when. */
  readonly #changing = new Map<Rehomable, number>();
  /** Queues that are about to be deleted. */
  #retiring = 0;
  readonly #stopping = new AbortController();
  #leaving: { readonly broker: string; readonly untilMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RehomingOptions) {
    this.#options = options;
    // Each queue that is about to be deleted listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** The brokers that it has addresses of and is connected to; undefined: there is one alone. */
  get brokers(): NodeStats['brokers'] {
    const { known, at } = this.#options.mesh.brokers;
    return known.length > 1 ? { known: [...known], at: [...at] } : undefined;
  }

  /** What it leaves, and how many queues may be there still. */
  get leaving(): NodeStats['leaving'] {
    if (this.#leaving === undefined) return undefined;
    const { broker } = this.#leaving;
    let queues = this.#retiring;
    for (const session of this.#options.directory.values()) if (mayLiveAt(broker, session)) queues += 1;
    return { broker, queues };
  }

  /** `isToReconnect`: its connections to that broker are made anew as well. */
  leave(broker: string, isToReconnect: boolean): void {
    const { mesh, now, log } = this.#options;
    if (!mesh.brokers.known.includes(broker)) return;
    if (this.#leaving?.broker !== broker || isToReconnect)
      log.info({ broker, isToReconnect }, 'leaves a broker');
    this.#leaving = { broker, untilMs: now() + avoidMs };
    mesh.avoid(broker, avoidMs);
    if (isToReconnect) mesh.leave(broker);
    this.#timer ??= setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    this.#end();
    this.#stopping.abort();
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#leaving = undefined;
  }

  #look(): void {
    const { mesh, directory, now } = this.#options;
    if (this.#leaving === undefined || now() > this.#leaving.untilMs) return this.#end();
    const { broker } = this.#leaving;
    const here = mesh.consuming.address;
    if (here === undefined || here === broker) return;
    const quick = [...this.#changing.values()].filter((sinceMs) => now() - sinceMs < quickMs);
    let left = atOnce - quick.length;
    for (const session of directory.values()) {
      if (left <= 0) return;
      if (!mayLiveAt(broker, session) || !this.#isDue(session)) continue;
      left -= 1;
      void this.#change(session);
    }
  }

  #isDue(session: Rehomable): boolean {
    const isAtRest =
      session.state === 'attached' && session.move === undefined && !session.intake.changes.isOn;
    return isAtRest && (this.#notBeforeMs.get(session) ?? 0) <= this.#options.now();
  }

  async #change(session: Rehomable): Promise<void> {
    const { now } = this.#options;
    this.#changing.set(session, now());
    const { outcome, retire } = await session.intake.changeQueue();
    this.#changing.delete(session);
    this.#notBeforeMs.set(session, now() + againMs);
    if (outcome === 'done') this.counts.done += 1;
    else if (outcome !== 'as-before') this.counts.lost += 1;
    if (retire === undefined) return;
    this.#retiring += 1;
    if (outcome === 'done') await sleep(retiredAfterMs, this.#stopping.signal).catch(() => {});
    // Without the broker it expires by itself.
    await retire().catch(() => {});
    this.#retiring -= 1;
  }
}

/** It has a queue, or is about to. */
const hasQueue: ReadonlySet<string> = new Set(['attaching', 'attached', 'releasing']);

const mayLiveAt = (broker: string, { state, intake: { home } }: Rehomable): boolean =>
  hasQueue.has(state) && (home === undefined || home === broker);
