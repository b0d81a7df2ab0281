import type { Delivery } from '@evenkeel/broker';
import { Waits } from '@evenkeel/broker';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../testing/runs.js';
import { Holdback } from './holdback.js';

const prefetch = 4;
const limit = 3;

/** A queue and its edge, each of which hears from the other as late as it may be: in order on each way, and in none between them. */
class World {
  /** What the edge has passed and told, in order; a gap is 0. */
  readonly seen: number[] = [];
  /** What the queue has delivered, in order; what it dropped stands between as `-n`. */
  readonly sent: number[] = [];
  #published = 0;
  #ready: number[] = [];
  #unacked = 0;
  /** Deliveries, and answers to who asked on the same way. */
  readonly #deliveries: (number | (() => void))[] = [];
  /** Acknowledgements, and questions as functions. */
  readonly #acks: ('ack' | (() => void))[] = [];
  /** Words of drops, and markers as functions. */
  readonly #words: ((() => void) | 'dropped')[] = [];
  readonly #waits = new Waits(prefetch, { ticks: 0 });
  #inHand = 0;
  readonly #holdback = new Holdback({
    drops: {
      doubts: 0,
      whyOf: () => undefined,
      fence: () => new Promise((resolve) => this.#words.push(() => resolve(true))),
    },
    isFull: (held) => this.#inHand + held >= prefetch,
    room: () => this.#waits.room,
    barrier: () => new Promise((resolve) => this.#acks.push(() => this.#deliveries.push(() => resolve({})))),
    onDropped: () => this.seen.push(0),
    pass: (delivery) => {
      this.#inHand += 1;
      this.seen.push(Number((delivery as unknown as { n: number }).n));
    },
  });

  publish(): void {
    this.#published += 1;
    this.#ready.push(this.#published);
    this.#serve();
    if (this.#ready.length <= limit) return;
    this.sent.push(-(this.#ready.shift() ?? 0));
    this.#words.push('dropped');
  }

  /** The edge reads what came on the consumer's way. */
  async read(): Promise<void> {
    const n = this.#deliveries.shift();
    if (typeof n !== 'number') {
      n?.();
      await turns();
      return;
    }
    const mayFollowWait = this.#waits.delivered();
    this.#holdback.offer({ n, mayFollowWait } as unknown as Delivery);
  }

  /** The edge reads what came on the way of drops. */
  async hear(): Promise<void> {
    const word = this.#words.shift();
    if (word === 'dropped') this.#holdback.dropped('overflow');
    else word?.();
    await turns();
  }

  ack(): void {
    if (this.#inHand === 0) return;
    this.#holdback.dueIfFull();
    this.#inHand -= 1;
    this.#waits.settled();
    this.#acks.push('ack');
  }

  /** The queue reads an acknowledgement. */
  settle(): void {
    const came = this.#acks.shift();
    if (came !== 'ack') return came?.();
    this.#unacked -= 1;
    this.#serve();
  }

  async finish(): Promise<void> {
    for (let n = 0; n < 200; n += 1) {
      await this.read();
      await this.hear();
      this.ack();
      this.settle();
    }
    this.#holdback.forget();
  }

  #serve(): void {
    while (this.#unacked < prefetch) {
      const n = this.#ready.shift();
      if (n === undefined) return;
      this.#unacked += 1;
      this.sent.push(n);
      this.#deliveries.push(n);
    }
  }
}

/** What is due at once is done. */
const turns = async (): Promise<void> => {
  for (let n = 0; n < 8; n += 1) await Promise.resolve();
};

const steps = ['publish', 'publish', 'read', 'hear', 'ack', 'settle'] as const;

it('whatever comes late, what was dropped is told where it was', async () => {
  let holes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...steps), fc.integer({ min: 1, max: 6 })), {
        minLength: 5,
        maxLength: 60,
      }),
      async (plan) => {
        const world = new World();
        for (const [step, count] of plan) for (let n = 0; n < count; n += 1) await world[step]();
        await world.finish();
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
