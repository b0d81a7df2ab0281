/** Something that runs, and can be started again when it has ended. */
export interface Restartable {
  readonly name: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

export interface SupervisionEvents {
  readonly onRestarting: (it: Restartable, how: string, delayMs: number) => void;
  readonly onRestarted: (it: Restartable) => void;
  /** It has ended too often; nothing is tried any more. */
  readonly onGivenUp: (it: Restartable) => void;
}

const maxRestarts = 5;
const windowMs = 60_000;
const firstDelayMs = 500;
const maxDelayMs = 8000;

/**
 * Starts services again that ended without having been told to: after a delay that doubles with each
 * end within a minute, and at most five times within one.
 */
export class Supervisor {
  readonly #events: SupervisionEvents;
  readonly #endsAt = new Map<Restartable, number[]>();
  #isStopped = false;

  constructor(events: SupervisionEvents) {
    this.#events = events;
  }

  /** To be called when a service has ended without having been told to. */
  readonly onEnd = (it: Restartable, how: string): void => {
    if (this.#isStopped) return;
    const delayMs = restartDelayMs(this.#record(it));
    if (delayMs === undefined) {
      this.#isStopped = true;
      this.#events.onGivenUp(it);
      return;
    }
    this.#events.onRestarting(it, how, delayMs);
    setTimeout(() => void this.#restart(it), delayMs);
  };

  /** From now on, what ends stays ended. */
  stop(): void {
    this.#isStopped = true;
  }

  async #restart(it: Restartable): Promise<void> {
    if (this.#isStopped) return;
    try {
      await it.start();
      this.#events.onRestarted(it);
    } catch (error) {
      await it.kill();
      this.onEnd(it, error instanceof Error ? error.message : String(error));
    }
  }

  #record(it: Restartable): number {
    const now = Date.now();
    const ends = [...(this.#endsAt.get(it) ?? []), now].filter((at) => now - at < windowMs);
    this.#endsAt.set(it, ends);
    return ends.length;
  }
}

/** How long to wait after the `nth` end within a minute; `undefined`: give up. */
export function restartDelayMs(nth: number): number | undefined {
  if (nth > maxRestarts) return undefined;
  return Math.min(firstDelayMs * 2 ** (nth - 1), maxDelayMs);
}
