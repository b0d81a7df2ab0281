import {
  type Fleet,
  type NumberedPublisher,
  startFleet,
  startNumberedPublisher,
  until,
} from '@evenkeel/bench/fleet';
import type { Stage } from '../delivery/run/stage.js';

const connectTimeoutMs = 60_000;
const arriveTimeoutMs = 30_000;

/** What became of the load. */
export interface LoadOutcome {
  readonly published: number;
  /** Events a second, over all of the time. */
  readonly perSecond: number;
  readonly delivered: number;
  /** Their publisher was told that they may not come, and the first reason. */
  readonly unconfirmed: number;
  readonly firstFailure?: string;
  /** Told as missing. */
  readonly covered: number;
  readonly moves: number;
  /** What did not hold, in words. */
  readonly failures: readonly string[];
}

/** Clients of the SDK in a process of their own, whose events are numbered, beside those whose every frame is judged. */
export class Load {
  readonly #fleet: Fleet;
  readonly #publisher: NumberedPublisher;
  readonly #beganAtMs = performance.now();

  private constructor(fleet: Fleet, publisher: NumberedPublisher) {
    this.#fleet = fleet;
    this.#publisher = publisher;
  }

  static async start(stage: Stage, clients: number, ratePerSecond: number): Promise<Load> {
    const fleet = await startFleet({ gatewayUrl: stage.mesh.gatewayUrl, clients });
    try {
      await fleet.connected(connectTimeoutMs);
      const amqpUrl = stage.broker.urlFor('app-shop');
      return new Load(fleet, await startNumberedPublisher({ amqpUrl, users: fleet.users, ratePerSecond }));
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** Publishes no more, waits for what is due, and compares. */
  async finish(): Promise<LoadOutcome> {
    const seconds = (performance.now() - this.#beganAtMs) / 1_000;
    const { sent, perNumber, failures: told, firstFailure } = await this.#publisher.finish();
    await until(arriveTimeoutMs, 250, () => this.#fleet.progress.delivered >= sent);
    const { events, misrouted } = await this.#fleet.check(perNumber, undefined, told);
    const { closed, moves } = await this.#fleet.stats();
    const { delivered, covered, lost, repeated, reordered } = events;
    const wrong = { lost, repeated, reordered, misrouted, 'clients closed for good': closed };
    const failures = Object.entries(wrong).flatMap(([what, count]) =>
      count > 0 ? [`load: ${count} ${what}`] : [],
    );
    if (delivered === 0) failures.push('load: nothing was delivered');
    const unconfirmed = { unconfirmed: told.length, ...(firstFailure === undefined ? {} : { firstFailure }) };
    return {
      ...unconfirmed,
      published: sent,
      perSecond: sent / seconds,
      delivered,
      covered,
      moves,
      failures,
    };
  }

  async stop(): Promise<void> {
    await this.#publisher.stop();
    await this.#fleet.stop();
  }
}
