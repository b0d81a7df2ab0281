import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import type { MeshPolicy, NodeStats } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Edges report once a second: after this long a gateway knows those that there are. */
const firstLookMs = 1_200;

/** Statistics of every edge, on a queue of this gateway's own. */
export class StatsFeed {
  readonly #queue: OwnQueue;
  #hasLooked = false;
  #look: NodeJS.Timeout | undefined;

  constructor(
    mesh: Mesh,
    listener: { onStats(stats: NodeStats): void; onPolicy(policy: MeshPolicy): void },
    log: Log,
  ) {
    this.#queue = mesh.stats.reports(listener, {
      name: 'gateway',
      log,
      onLost: () => this.#blind(),
      onRemade: () => this.#lookAround(),
    });
  }

  /** Whether every edge has had time to report. An edge need not be there: it may start after its gateway. */
  readiness(): true | string {
    const readiness = this.#queue.readiness();
    if (readiness !== true) return readiness;
    return this.#hasLooked || 'no interval of statistics has passed yet';
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#queue.start(signal);
    this.#lookAround();
  }

  async stop(): Promise<void> {
    this.#blind();
    await this.#queue.stop();
  }

  #lookAround(): void {
    this.#blind();
    this.#look = setTimeout(() => {
      this.#hasLooked = true;
    }, firstLookMs);
  }

  #blind(): void {
    clearTimeout(this.#look);
    this.#hasLooked = false;
  }
}
