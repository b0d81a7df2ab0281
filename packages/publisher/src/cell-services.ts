import { withDeadline } from '@evenkeel/pace';
import type { MeshPublisher } from './mesh-publisher.js';
import type { Service } from './types.js';

/** So long after the first cell the others are not waited for, ms: one that is away takes part when it is back. */
const othersMs = 2_000;

type Start = (publisher: MeshPublisher) => Promise<Service>;

/** What is served in every cell, also in those that come later. */
export class CellServices {
  readonly #all = new Set<ServedEverywhere>();

  /**
   * Resolves once it is served in one cell, and in the others or these have had a moment.
   * @throws what each of them says, where it is served in none.
   */
  async add(
    start: Start,
    publishers: readonly MeshPublisher[],
    onFailed: (error: unknown) => void,
  ): Promise<Service> {
    const served = new ServedEverywhere(start, onFailed, () => this.#all.delete(served));
    this.#all.add(served);
    try {
      await served.begin(publishers);
      return served;
    } catch (error) {
      await served.stop();
      throw error;
    }
  }

  enter(publisher: MeshPublisher): void {
    for (const served of this.#all) served.enter(publisher);
  }

  leave(publisher: MeshPublisher): void {
    for (const served of this.#all) served.leave(publisher);
  }
}

class ServedEverywhere implements Service {
  readonly #start: Start;
  readonly #onFailed: (error: unknown) => void;
  readonly #onStop: () => void;
  readonly #starting = new Map<MeshPublisher, Promise<void>>();
  readonly #running = new Map<MeshPublisher, Service>();
  #isStopped = false;

  constructor(start: Start, onFailed: (error: unknown) => void, onStop: () => void) {
    this.#start = start;
    this.#onFailed = onFailed;
    this.#onStop = onStop;
  }

  get ignored(): number {
    return this.#sum(({ ignored }) => ignored);
  }

  get dropped(): number {
    return this.#sum(({ dropped }) => dropped);
  }

  async begin(publishers: readonly MeshPublisher[]): Promise<void> {
    const starts = publishers.map((publisher) => this.#begin(publisher));
    await Promise.any(starts).catch(({ errors }: AggregateError) => {
      throw errors[0];
    });
    for (const start of starts) start.catch((error: unknown) => this.#failed(error));
    await withDeadline(Promise.allSettled(starts), othersMs, () => undefined);
  }

  enter(publisher: MeshPublisher): void {
    this.#begin(publisher).catch((error: unknown) => this.#failed(error));
  }

  /** Its publisher is about to be closed, which stops it. */
  leave(publisher: MeshPublisher): void {
    this.#starting.delete(publisher);
    this.#running.delete(publisher);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#onStop();
    // What is still being started stops itself.
    await Promise.all([...this.#running.values()].map((service) => service.stop()));
  }

  #begin(publisher: MeshPublisher): Promise<void> {
    const starting = this.#start(publisher).then(async (service) => {
      if (this.#isStopped || this.#starting.get(publisher) !== starting) return await service.stop();
      this.#running.set(publisher, service);
    });
    this.#starting.set(publisher, starting);
    return starting;
  }

  #failed(error: unknown): void {
    if (!this.#isStopped) this.#onFailed(error);
  }

  #sum(of: (service: Service) => number): number {
    return [...this.#running.values()].reduce((sum, service) => sum + of(service), 0);
  }
}
