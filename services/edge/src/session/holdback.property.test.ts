import { type Delivery, Waits } from '@evenkeel/broker';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runs } from '../../testing/runs.js';
import { Holdback } from './holdback.js';

const prefetch = 4;
const limit = 3;
/** So many answers an acknowledgement, and what the queue sends for it, are under way at most. */
const mostTicks = 1;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface OnItsWay {
  /** A delivery, or an acknowledgement as 0; else a question or its answer. */
  readonly what: number | (() => void);
  /** When what it follows from was done here, in answers of the broker. */
  readonly since: number;
}

/** A queue and its edge, each of which hears from the other as late as it may be: in order on each way, and in none between them. */
class World {
  /** What the edge has passed and told, in order; a gap is 0. */
  readonly seen: number[] = [];
  /** What the queue has delivered, in order; what it dropped stands between as `-n`. */
  readonly sent: number[] = [];
  readonly #overtakes: boolean;
  #published = 0;
  #ready: number[] = [];
  #unacked = 0;
  readonly #toEdge: OnItsWay[] = [];
  readonly #toQueue: OnItsWay[] = [];
  /** Deliveries that an answer may overtake. */
  #sinceAnswer = 0;
  /** Words of drops, and markers as functions. */
  readonly #words: ((() => void) | 'dropped')[] = [];
  readonly #clock = { needed: 2, ticks: 0, wanted: () => undefined };
  readonly #waits = new Waits(prefetch, { channel: this.#clock, queue: () => this.#clock });
  #inHand = 0;
  readonly #holdback = new Holdback({
    drops: {
      doubts: 0,
      whyOf: () => undefined,
      fence: () => new Promise((resolve) => this.#words.push(() => resolve(true))),
    },
    room: () => this.#waits.room,
    barrier: () => new Promise((resolve) => this.#toQueue.push(this.#now(() => this.#answer(resolve)))),
    onDropped: () => this.seen.push(0),
    pass: (delivery) => {
      this.#inHand += 1;
      this.seen.push(Number((delivery as unknown as { n: number }).n));
    },
  });

  /** `overtakes`: answers come before what was sent since the last. */
  constructor(overtakes: boolean) {
    this.#overtakes = overtakes;
  }

  get isAtRest(): boolean {
    return this.#holdback.isAtRest;
  }

  publish(): void {
    this.#published += 1;
    this.#ready.push(this.#published);
    this.#serve(this.#clock.ticks);
    if (this.#ready.length <= limit) return;
    this.sent.push(-(this.#ready.shift() ?? 0));
    this.#words.push('dropped');
  }

  /** The edge reads what came on the consumer's way. */
  async read(): Promise<void> {
    const came = this.#toEdge.shift();
    if (typeof came?.what === 'number') {
      const mayFollowWait = this.#waits.delivered();
      this.#holdback.offer({ n: came.what, mayFollowWait } as unknown as Delivery);
    } else {
      came?.what();
      await turns();
    }
  }

  /** The edge reads what came on the way of drops. */
  async hear(): Promise<void> {
    const word = this.#words.shift();
    if (word === 'dropped') this.#holdback.dropped('overflow');
    else word?.();
    await turns();
  }

  async ack(): Promise<void> {
    if (this.#inHand === 0) return;
    this.#holdback.dueIfFull();
    this.#inHand -= 1;
    this.#waits.settled();
    this.#toQueue.push(this.#now(0));
    await turns();
  }

  /** The queue reads what came. */
  settle(): void {
    const came = this.#toQueue.shift();
    if (came === undefined) return;
    if (came.what !== 0) return typeof came.what === 'number' ? undefined : came.what();
    this.#unacked -= 1;
    this.#serve(came.since);
  }

  /** The broker answers, if nothing is under way for too long already. */
  async tick(): Promise<void> {
    const since = Math.min(...[...this.#toEdge, ...this.#toQueue].map((each) => each.since));
    if (this.#clock.ticks + 1 - since <= mostTicks) this.#clock.ticks += 1;
    await vi.advanceTimersByTimeAsync(20);
  }

  async finish(): Promise<void> {
    for (let n = 0; n < 100; n += 1) {
      await this.read();
      await this.hear();
      await this.ack();
      this.settle();
      await this.tick();
    }
  }

  #now(what: OnItsWay['what']): OnItsWay {
    return { what, since: this.#clock.ticks };
  }

  #answer(resolve: (counts: object) => void): void {
    const from = Math.max(0, this.#toEdge.length - (this.#overtakes ? this.#sinceAnswer : 0));
    this.#toEdge.splice(
      from,
      0,
      this.#now(() => resolve({})),
    );
    this.#sinceAnswer = 0;
  }

  #serve(since: number): void {
    while (this.#unacked < prefetch) {
      const n = this.#ready.shift();
      if (n === undefined) return;
      this.#unacked += 1;
      this.#sinceAnswer += 1;
      this.sent.push(n);
      this.#toEdge.push({ what: n, since });
    }
  }
}

/** What is due at once is done. */
const turns = async (): Promise<void> => {
  for (let n = 0; n < 8; n += 1) await Promise.resolve();
};

const steps = ['publish', 'publish', 'read', 'hear', 'ack', 'settle', 'tick'] as const;

it('whatever comes late, what was dropped is told where it was', async () => {
  let holes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...steps), fc.integer({ min: 1, max: 6 })), {
        minLength: 5,
        maxLength: 60,
      }),
      fc.boolean(),
      async (plan, overtakes) => {
        const world = new World(overtakes);
        for (const [step, count] of plan) for (let n = 0; n < count; n += 1) await world[step]();
        await world.finish();
        expect(world.isAtRest, 'nothing is kept when all is acknowledged').toBe(true);
        const { seen, sent } = world;
        const delivered = sent.filter((n) => n > 0);
        expect(seen.filter((n) => n > 0)).toEqual(delivered);
        for (const [i, n] of delivered.entries()) {
          const before = delivered[i - 1];
          if (n === (before ?? 0) + 1) continue;
          holes += 1;
          const from = before === undefined ? 0 : seen.indexOf(before);
          expect(seen.slice(from, seen.indexOf(n)), `gap before ${n} in ${seen.join(' ')}`).toContain(0);
        }
        // What the first window brings in one go is told nothing in between.
        expect(seen.slice(0, prefetch)).not.toContain(0);
      },
    ),
    { numRuns: runs },
  );
  expect(holes).toBeGreaterThan(100);
});
