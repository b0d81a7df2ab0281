import { withDeadline } from '@evenkeel/pace';
import type { Log } from './log.js';

/** One thing that is started and stopped. */
interface Step {
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
  /** How long stopping may take before the next step is stopped all the same. Default 10000. */
  readonly stopTimeoutMs?: number;
}

/** Where a {@link Lifecycle} is. It only goes forward. */
type LifecycleState = 'created' | 'starting' | 'ready' | 'stopping' | 'stopped';

/** Starting one step failed; the steps before it have been stopped. */
export class StartError extends Error {
  readonly code = 'start-failed';

  constructor(step: string, cause: unknown) {
    super(`Could not start ${step}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StartError';
  }
}

interface NamedStep {
  readonly name: string;
  readonly step: Step;
}

const defaultStopTimeoutMs = 10_000;

/** Starts steps in the order in which they were added, one after the other, and stops those that started in reverse. */
export class Lifecycle {
  readonly #log: Log;
  readonly #steps: NamedStep[] = [];
  readonly #started: NamedStep[] = [];
  #state: LifecycleState = 'created';
  #starting: string | undefined;
  #stopping: Promise<boolean> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** True when everything has started and nothing is stopping; else what it is at, the step that is starting by name. */
  readiness(): true | string {
    if (this.#state === 'ready') return true;
    return this.#starting === undefined || this.#state !== 'starting'
      ? this.#state
      : `starting: ${this.#starting}`;
  }

  /** The longest that one step may take to stop. */
  get longestStopMs(): number {
    return Math.max(defaultStopTimeoutMs, ...this.#steps.map(({ step }) => step.stopTimeoutMs ?? 0));
  }

  /** Adds a step, before the start. */
  add(name: string, step: Step): this {
    this.#steps.push({ name, step });
    return this;
  }

  /**
   * Starts every step in order. On a failure stops what had started, in reverse.
   * @throws StartError naming the step; its cause is what the step threw.
   */
  async start(): Promise<void> {
    this.#state = 'starting';
    for (const { name, step } of this.#steps) {
      this.#starting = name;
      const atMs = performance.now();
      try {
        await step.start?.();
      } catch (error) {
        // A start that was interrupted by a stop fails as a rule: that is no news.
        if (this.#stopping === undefined) this.#log.error({ step: name, err: error }, 'step failed to start');
        await this.stop('start failed');
        throw new StartError(name, error);
      }
      this.#started.push({ name, step });
      this.#log.debug({ step: name, tookMs: Math.round(performance.now() - atMs) }, 'step started');
      // A stop may have come while this step was starting.
      if (this.#stopping) {
        await this.#stopping;
        await this.#stopAll('stopped while starting');
        throw new StartError(name, new Error('stopped while starting'));
      }
    }
    this.#state = 'ready';
    this.#log.info({}, 'ready');
  }

  /**
   * Stops once, in reverse order; a step that takes longer than its time is left behind. Resolves with whether all
   * stopped in time and without an error.
   */
  stop(reason: string): Promise<boolean> {
    this.#stopping ??= this.#stopAll(reason);
    return this.#stopping;
  }

  async #stopAll(reason: string): Promise<boolean> {
    this.#state = 'stopping';
    this.#log.info({ reason }, 'stopping');
    let isClean = true;
    for (let entry = this.#started.pop(); entry; entry = this.#started.pop()) {
      const { name, step } = entry;
      const atMs = performance.now();
      const timeoutMs = step.stopTimeoutMs ?? defaultStopTimeoutMs;
      const outcome = await withDeadline(stopped(step), timeoutMs, () => 'late' as const);
      const tookMs = Math.round(performance.now() - atMs);
      if (outcome === 'done') this.#log.debug({ step: name, reason, tookMs }, 'step stopped');
      else {
        isClean = false;
        if (outcome === 'late') this.#log.error({ step: name, reason, tookMs }, 'step did not stop in time');
        else this.#log.error({ step: name, reason, err: outcome.error }, 'step failed to stop');
      }
    }
    this.#state = 'stopped';
    this.#log.info({ reason, isClean }, 'stopped');
    return isClean;
  }
}

async function stopped(step: Step): Promise<'done' | { error: unknown }> {
  try {
    await step.stop?.();
    return 'done';
  } catch (error) {
    return { error };
  }
}
