import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { answersWorld } from '../../testing/answers.js';
import { FakeConnection } from '../../testing/fake-connection.js';
import { FakeDrops } from '../../testing/fake-drops.js';
import { QueueModel } from '../../testing/queue-model.js';
import { runs } from '../../testing/runs.js';
import { FakeHandover, settled } from '../../testing/session-world.js';
import { gapFrame } from '../frame/frames.js';
import { Intake } from './intake.js';
import { LeftBehind } from './left-behind.js';
import { Outbox } from './outbox.js';
import { anybody } from './release.js';
import { type SealLeft, type Vouch, vouchOf } from './vouch.js';

const window = 4;
const limit = 8;

/** One session, wherever it is: events are published to it, and its client tells what came. */
class World {
  readonly queue = new QueueModel(limit + 1, window + 1);
  /** What the client has got, in order: numbers of events, and gaps. */
  readonly got: (number | 'gap')[] = [];
  published = 0;
  /** A `gap` in vain is possible. */
  isInDoubt = false;
  #at: { intake: Intake; outbox: Outbox; connection: FakeConnection; read: number } | undefined;
  /** Of a move. */
  #left: SealLeft | undefined;
  #isLive = false;
  #isRaised = false;
  #nowMs = 0;
  /** Dropped in a move between the two edges; the new one has not heard of it yet. */
  #unheard = 0;
  /** The edge that had it has heard of so many; whoever has it next may hear of them later. */
  #heardByOne = 0;
  readonly #drops = new FakeDrops();
  #isDeaf = false;
  /** What is known of the session while nobody has it. */
  readonly #leftBehind = new LeftBehind(300_000, this.#drops, () => this.#nowMs);

  constructor() {
    this.queue.onDropped = () => {
      if (this.#at) {
        this.#at.intake.dropped('overflow');
        this.#heardByOne += 1;
      } else if (!this.#isDeaf) {
        this.#unheard += 1;
        this.#leftBehind.dropped('s', 'overflow');
      }
    };
    this.#drops.onFence = () => this.#hear();
  }

  /** The queue takes less, or as much as before. */
  limitTo(most: number): void {
    this.#isRaised = most > this.queue.limit;
    this.queue.limit = most;
  }

  /** `cut`: its connection is lost before its queue is consumed, and so many events later. */
  async come(vouch?: Vouch, isMove = false, cut = 0): Promise<void> {
    if (this.#at) return;
    this.#isRaised = false;
    // While nobody has the session nobody hears it.
    if (!isMove) this.#unheard = 0;
    const connection = new FakeConnection();
    const now = () => this.#nowMs;
    const outbox = new Outbox(connection, {
      window,
      highWatermarkBytes: 100,
      maxEventBytes: 1_000,
      answers: answersWorld().answers,
      now,
      onWritten: () => {},
      onReplied: () => {},
      givenUp: { closed: () => {}, of: () => undefined },
      unsent: { take: (delivery) => delivery.drop() },
      onTooLarge: () => {},
      onExpired: () => {},
      onAway: () => {},
      onSettling: () => intake.settling(),
    });
    const onGap = (reason: 'overflow') => outbox.insert(gapFrame(reason));
    const intake: Intake = new Intake({
      claims: { id: 't', uid: 'alice', sid: 's', node: 'e', epoch: 1, expiresAt: 1 },
      queue: this.queue,
      handover: new FakeHandover([]),
      outbox,
      isBare: false,
      drops: this.#drops,
      maxLength: limit,
      window,
      onDelivering: () => {},
      isTaking: () => true,
      isOpen: () => true,
      isLive: () => this.#isLive,
      onGap: (reason) => onGap(reason as 'overflow'),
      onEnd: () => {},
      now,
    });
    this.#at = { intake, outbox, connection, read: 0 };
    this.#isLive = true;
    const left = this.#left ?? this.#leftBehind.take('s') ?? {};
    this.#left = undefined;
    const isFound = await this.queue.check();
    if (vouch) intake.begin(vouch);
    else if (!isFound) await this.queue.make(() => intake.begin({ is: 'told', reason: 'session-expired' }));
    else intake.begin(vouchOf(left));
    if (!vouch && (!isFound || left.owed !== undefined)) onGap('overflow');
    this.publish(cut);
    if (cut > 0) return await this.leave();
    // Sooner or later.
    if (this.published % 2 === 0) this.#hear();
    await intake.start();
    const late = this.#heardByOne;
    this.#heardByOne = 0;
    if (this.published % 3 === 0) for (let n = 0; n < late; n += 1) intake.dropped('overflow');
  }

  /** `isForgotten`: whoever has it next does not learn what this edge knew. */
  async leave(isForgotten = false): Promise<void> {
    const at = this.#at;
    if (!at) return;
    await this.#leave(at.intake.stop(5));
    if (isForgotten && at.intake.seal.isEarly) this.isInDoubt = true;
    const left = await at.intake.giveBack(anybody);
    if (!isForgotten || this.#isRaised) this.#leftBehind.note('s', { ...left, position: undefined });
    else if (left.seal?.at !== undefined) this.isInDoubt = true;
    this.#read();
    this.#at = undefined;
    if (this.published % 2 === 0) this.#goElsewhere();
  }

  /** It moves to another edge, or back, which may have to wait for its seal; `count` events are published in between. */
  async move(count: number): Promise<void> {
    const at = this.#at;
    if (!at) return;
    await this.#leave(at.intake.stop(0));
    this.publish(Math.floor(count / 2));
    this.#left = await at.intake.giveBack({ ...anybody, mayLeaveSeal: true });
    this.#read();
    this.#at = undefined;
    this.#goElsewhere();
    this.#unheard = 0;
    this.publish(Math.ceil(count / 2));
    await this.come(undefined, true);
  }

  #goElsewhere(): void {
    this.queue.node = this.queue.node === 'e' ? 'f' : 'e';
  }

  /** What was dropped is heard of by another way, at the latest when a marker is back. */
  #hear(): void {
    for (; this.#unheard > 0; this.#unheard -= 1) this.#at?.intake.dropped('overflow');
  }

  /**
   * Its edge dies, and says nothing. Within moments of a gap, if there is an overflow as well, that is a known limit; and so it is when
   * a queue that has just dropped something has got more room.
   */
  crash(): void {
    if (!this.#at || this.#at.intake.seal.isEarly || this.#isRaised) return;
    this.#noteDoubt();
    this.queue.lose();
    this.queue.loseLate();
    this.#read();
    this.#at = undefined;
  }

  publish(count: number): void {
    for (let n = 0; n < count; n += 1) {
      this.published += 1;
      this.queue.publish(this.published);
    }
  }

  /** Something may have been dropped without word of it, and is where nobody has the session. */
  doubt(): void {
    this.#isDeaf = true;
    if (!this.#at) this.publish(12);
    this.#isDeaf = false;
    this.#drops.doubts += 1;
    this.isInDoubt = true;
  }

  /** The client acknowledges what it has got, but for so many. */
  ack(but: number): void {
    const at = this.#at;
    if (!at) return;
    this.#read();
    const seq = Math.max(0, at.outbox.seq - but);
    at.outbox.ack(seq);
    at.intake.seal.acked(seq);
  }

  /** Some seconds pass, and the client says that it is there. */
  async wait(): Promise<void> {
    this.#nowMs += 3_000;
    this.#at?.intake.seal.heard(true);
    await vi.advanceTimersByTimeAsync(200);
    await settled();
  }

  /** The edge loses the broker and finds it again. With the seal elsewhere, and more room since a drop, is a known limit as well. */
  async restore(meanwhile: () => void): Promise<void> {
    if (!this.#at || (this.#isRaised && this.queue.left.size > 0)) return meanwhile();
    const { queue } = this;
    const { listener } = queue;
    this.#noteDoubt();
    queue.lose();
    queue.loseLate();
    meanwhile();
    if (!listener) return;
    await listener.onFound(await queue.check());
    await queue.make();
    await listener.onFound(await queue.check());
    await queue.consume(listener);
    listener.onRestored();
  }

  /** What an operator takes out while the seal is in somebody's hand, or is still to come, nobody notices. */
  async purge(): Promise<void> {
    if (!this.#at) this.#nowMs += 60_000;
    for (const edge of [...this.queue.left.keys()]) this.queue.putBack(edge);
    await this.restore(() => this.queue.purge());
  }

  /** While its seal is on another edge nobody can tell that nothing is missing. */
  #noteDoubt(): void {
    if (this.queue.left.size > 0 || this.queue.isLate) this.isInDoubt = true;
  }

  /** Everything is read and acknowledged, to the last. */
  async finish(): Promise<void> {
    this.queue.hurryUp();
    await this.come();
    for (let n = 0; n < 3; n += 1) {
      this.ack(0);
      await this.wait();
    }
    this.publish(1);
    for (let n = 0; n < this.published; n += 1) {
      this.ack(0);
      await settled();
    }
    this.#read();
  }

  async #leave(stopping: Promise<void>): Promise<void> {
    await vi.advanceTimersByTimeAsync(300);
    await stopping;
    this.#isLive = false;
  }

  #read(): void {
    const at = this.#at;
    if (!at) return;
    for (const frame of at.connection.frames.slice(at.read)) {
      if (frame.t === 'gap') this.got.push('gap');
      if (frame.t === 'event') this.got.push(Number(frame.data));
    }
    at.read = at.connection.frames.length;
  }
}

/** Events that did not come, and before which no gap did. */
function lostInSilence(got: readonly (number | 'gap')[]): number[] {
  const lost: number[] = [];
  let newest = 0;
  let isTold = false;
  for (const each of got) {
    if (each === 'gap') isTold = true;
    else if (each > newest) {
      if (!isTold) for (let n = newest + 1; n < each; n += 1) lost.push(n);
      newest = each;
      isTold = false;
    }
  }
  return lost;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ is: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 14 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ is: fc.constant('ack' as const), but: fc.integer({ min: 0, max: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constantFrom(
        'put back',
        'leave',
        'leave and be forgotten',
        'crash',
        'come',
        'come',
        'come in vain',
        'doubt',
        'wait',
        'restore',
        'restore after much',
        'answer',
        'the broker is slow',
        'the broker is quick',
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ is: fc.constant('move' as const), count: fc.integer({ min: 0, max: 14 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constantFrom('empty', 'purge while away', 'lower the limit', 'raise the limit'),
    }),
  },
);

const early = fc.integer({ min: 0, max: window });

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** `early`: so many events come before the first seal. */
async function run(
  history: readonly { is: string; count?: number; but?: number }[],
  early = 0,
): Promise<World> {
  const world = new World();
  world.queue.beforeSeal = () => world.publish(early);
  await world.come({ is: 'fresh' });
  for (const { is, count = 0, but = 0 } of history) {
    if (is === 'publish') world.publish(count);
    else if (is === 'ack') world.ack(but);
    else if (is === 'leave') await world.leave();
    else if (is === 'leave and be forgotten') await world.leave(true);
    else if (is === 'crash') world.crash();
    else if (is === 'move') await world.move(count);
    else if (is === 'put back') for (const edge of ['e', 'f']) world.queue.putBack(edge);
    else if (is === 'come') await world.come();
    else if (is === 'come in vain') await world.come(undefined, false, 12);
    else if (is === 'doubt') world.doubt();
    else if (is === 'the broker is slow') world.queue.isSlow = true;
    else if (is === 'the broker is quick') world.queue.hurryUp();
    else if (is === 'answer') world.queue.reply();
    else if (is === 'wait') await world.wait();
    else if (is === 'restore') await world.restore(() => {});
    else if (is === 'restore after much') await world.restore(() => world.publish(14));
    else if (is === 'empty') await world.restore(() => world.queue.empty());
    else if (is === 'purge while away') await world.purge();
    else world.limitTo(is === 'lower the limit' ? 3 : limit + 1);
  }
  await world.finish();
  return world;
}

it('is told a gap before the next event whenever something was dropped, whoever consumes the queue and whatever becomes of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), early, async (history, count) => {
      const { got } = await run(history, count);
      expect(lostInSilence(got)).toEqual([]);
    }),
    { numRuns: runs },
  );
});

it('is told none where nothing was dropped', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), early, async (history, count) => {
      const { got, queue, published, isInDoubt } = await run(history, count);
      fc.pre(queue.dropped === 0 && !queue.wasEmptied && !isInDoubt);
      expect(got.filter((each) => each === 'gap')).toEqual([]);
      expect(new Set(got).size).toBe(published);
    }),
    { numRuns: runs },
  );
});

it.each([['leave'], ['leave and be forgotten'], ['restore']])(
  'is told a gap for what was dropped behind a full window, also when the queue has room again before: %s',
  async (is) => {
    const { got } = await run([
      { is: 'wait' },
      { is: 'publish', count: 4 },
      { is: 'lower the limit' },
      // So many that nobody hears of the drops later.
      { is: 'publish', count: 7 },
      { is: 'raise the limit' },
      { is },
    ]);
    expect(lostInSilence(got)).toEqual([]);
  },
);
