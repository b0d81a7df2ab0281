import type { NodeStats } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Sessions whose queues are changed at a time. */
const atOnce = 16;
/** How often it is looked for those that are to be, ms. */
const lookMs = 100;
/** One whose queue could not be changed is tried again after this, ms. */
const againMs = 1_000;
/** So long this edge keeps away from a broker that it was told to leave, ms: until that has been restarted, most likely. */
export const avoidMs = 600_000;

/** A session whose queue may be changed. */
export interface Rehomable {
  readonly state: string;
  /** It is being moved. */
  readonly move: object | undefined;
  readonly intake: {
    /** The broker that its queue was made at; undefined: nobody knows. */
    readonly home: string | undefined;
    readonly isChanging: boolean;
    changeQueue(): Promise<string>;
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
  #leaving: { readonly broker: string; readonly untilMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RehomingOptions) {
    this.#options = options;
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
    let queues = 0;
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
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#leaving = undefined;
  }

  #look(): void {
    const { mesh, directory, now } = this.#options;
    if (this.#leaving === undefined || now() > this.#leaving.untilMs) return this.stop();
    const { broker } = this.#leaving;
    const here = mesh.consuming.address;
    if (here === undefined || here === broker) return;
    let changing = 0;
    const waiting: Rehomable[] = [];
    for (const session of directory.values()) {
      if (session.intake.isChanging) changing += 1;
      else if (session.state === 'attached' && mayLiveAt(broker, session) && this.#isDue(session))
        waiting.push(session);
    }
    for (const session of waiting.slice(0, Math.max(0, atOnce - changing))) void this.#change(session);
  }

  #isDue(session: Rehomable): boolean {
    return session.move === undefined && (this.#notBeforeMs.get(session) ?? 0) <= this.#options.now();
  }

  async #change(session: Rehomable): Promise<void> {
    const outcome = await session.intake.changeQueue();
    if (outcome === 'done') this.counts.done += 1;
    else if (outcome !== 'as-before') this.counts.lost += 1;
    this.#notBeforeMs.set(session, this.#options.now() + againMs);
  }
}

/** It has a queue, or is about to. */
const hasQueue: ReadonlySet<string> = new Set(['attaching', 'attached', 'releasing']);

const mayLiveAt = (broker: string, { state, intake: { home } }: Rehomable): boolean =>
  hasQueue.has(state) && (home === undefined || home === broker);
