import { withDeadline } from '@evenkeel/pace';
import type { Log } from './log.js';

/** One thing that is started and stopped. */
export interface Step {
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** States of a {@link Lifecycle}. */
export const LIFECYCLE_STATES = {
  created: 'created',
  starting: 'starting',
  ready: 'ready',
  stopping: 'stopping',
  stopped: 'stopped',
} as const;

/** One of {@link LIFECYCLE_STATES}. */
export type LifecycleState = (typeof LIFECYCLE_STATES)[keyof typeof LIFECYCLE_STATES];

/** Starting one step failed; the steps before it have been stopped. */
export class StartError extends Error {
  readonly code = 'start-failed';

  constructor(step: string, cause: unknown) {
    super(`Could not start ${step}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StartError';
  }
}

/**
 * Starts steps in the order they were added and stops the started ones in reverse. A step may also be added
 * with `defer` after it was started by hand.
 */
export class Lifecycle {
  readonly #log: Log;
  readonly #steps: { name: string; step: Step }[] = [];
  readonly #started: { name: string; step: Step }[] = [];
  #state: LifecycleState = 'created';
  #stopping: Promise<boolean> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Everything has started and nothing is stopping. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Adds a step; started by {@link Lifecycle.start}. */
  add(name: string, step: Step): this {
    this.#steps.push({ name, step });
    return this;
  }

  /** Registers how to stop something that already runs. */
  defer(name: string, stop: () => Promise<void> | void): this {
    this.#started.push({ name, step: { stop } });
    return this;
  }

  /**
   * Starts every step in order. On a failure stops what had started, in reverse.
   * @throws StartError naming the step; its cause is what the step threw.
   */
  async start(stopTimeoutMs = 10_000): Promise<void> {
    this.#state = 'starting';
    for (const { name, step } of this.#steps.splice(0)) {
      const atMs = performance.now();
      try {
        await step.start?.();
      } catch (error) {
        this.#log.error({ step: name, err: error }, 'step failed to start');
        await this.stop('start failed', stopTimeoutMs);
        throw new StartError(name, error);
      }
      this.#started.push({ name, step });
      this.#log.debug({ step: name, tookMs: Math.round(performance.now() - atMs) }, 'step started');
      // A stop may have come while this step was starting.
      if (this.#stopping) {
        await this.#stopping;
        await this.#stopAll('stopped while starting', stopTimeoutMs);
        throw new StartError(name, new Error('stopped while starting'));
      }
    }
    this.#state = 'ready';
    this.#log.info({}, 'ready');
  }

  /**
   * Stops once, in reverse order; every step has `stepTimeoutMs`, after which the next one is stopped all the
   * same. Resolves with whether all stopped in time and without an error.
   */
  stop(reason: string, stepTimeoutMs = 10_000): Promise<boolean> {
    this.#stopping ??= this.#stopAll(reason, stepTimeoutMs);
    return this.#stopping;
  }

  async #stopAll(reason: string, stepTimeoutMs: number): Promise<boolean> {
    this.#state = 'stopping';
    this.#log.info({ reason }, 'stopping');
    let isClean = true;
    for (let entry = this.#started.pop(); entry; entry = this.#started.pop()) {
      const { name, step } = entry;
      const atMs = performance.now();
      const outcome = await withDeadline(stopped(step), stepTimeoutMs, () => 'late' as const);
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
