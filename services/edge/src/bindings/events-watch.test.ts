import { BrokerError, type Delivery } from '@evenkeel/broker';
import { exchanges } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EventsWatch, type EventsWatchOptions } from './events-watch.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A broker with one queue, and the bindings that were made for it. */
class BrokerStandIn {
  readonly bindings = new Set<string>();
  /** Bound with the queue, whenever it is made. */
  fence = '';
  isBehind = false;
  /** With what it refuses what is published to an exchange. */
  readonly refuses = new Map<string, BrokerError>();
  #onDelivery: (delivery: Delivery) => void = () => {};
  #late: (() => void)[] = [];

  readonly mesh = {
    durableQueue: ({ onDelivery, bindings }: Parameters<EventsWatchOptions['mesh']['durableQueue']>[0]) => {
      this.#onDelivery = onDelivery ?? this.#onDelivery;
      this.fence = bindings?.[0]?.key ?? '';
      return { isReady: true, start: async () => {}, stop: async () => {} };
    },
    publisherBeside: () => ({
      publish: async (exchange: string, key: string, _body: string, properties: object) => {
        const refusal = this.refuses.get(exchange);
        if (refusal) throw refusal;
        this.#route(exchange, key, properties);
        return 'routed';
      },
    }),
    consuming: {
      topology: () => ({
        bind: async (_queue: string, exchange: string, key: string) => {
          const refusal = this.refuses.get(exchange);
          if (refusal) throw refusal;
          this.bindings.add(`${exchange} ${key}`);
        },
      }),
    },
  } as unknown as EventsWatchOptions['mesh'];

  /** Somebody deletes `mesh.events`. */
  loseEvents(): void {
    for (const each of this.bindings) if (each.startsWith(exchanges.events)) this.bindings.delete(each);
  }

  catchUp(): void {
    this.isBehind = false;
    for (const deliver of this.#late.splice(0)) deliver();
  }

  /** Published on `mesh.events`. */
  probes = 0;

  #route(exchange: string, key: string, properties: object): void {
    if (exchange === exchanges.events) this.probes += 1;
    if (key !== this.fence && !this.bindings.has(`${exchange} ${key}`)) return;
    const deliver = () =>
      this.#onDelivery({ exchange, key, properties, ack: () => {} } as unknown as Delivery);
    if (this.isBehind) this.#late.push(deliver);
    else deliver();
  }
}

async function watching(broker = new BrokerStandIn(), boot = 'b') {
  let losses = 0;
  const watch = new EventsWatch({
    mesh: broker.mesh,
    node: { name: 'e', boot },
    onLost: () => {
      losses += 1;
    },
    log: { warn: () => {} },
  });
  await watch.start();
  await vi.advanceTimersByTimeAsync(0);
  return { broker, watch, losses: () => losses };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('tells nothing as long as what it sends itself comes', async () => {
  const { watch, losses } = await watching();
  await pass(60_000);
  expect(losses()).toBe(0);
  await watch.stop();
});

it('tells once that bindings have gone, within two looks, and again when they go again', async () => {
  const { broker, watch, losses } = await watching();
  broker.loseEvents();
  await pass(2_000);
  expect(losses()).toBe(1);
  await pass(60_000);
  expect(losses()).toBe(1);
  broker.loseEvents();
  await pass(2_000);
  expect(losses()).toBe(2);
  await watch.stop();
});

it('tells that bindings have gone while there was no edge of this name, once, and nothing where they have not', async () => {
  const { broker, watch } = await watching();
  await pass(10_000);
  await watch.stop();
  const unharmed = await watching(broker, 'c');
  await pass(10_000);
  expect(unharmed.losses()).toBe(0);
  await unharmed.watch.stop();
  broker.loseEvents();
  const next = await watching(broker, 'd');
  await pass(0);
  expect(next.losses()).toBe(1);
  await pass(60_000);
  expect(next.losses()).toBe(1);
  await next.watch.stop();
});

it('takes a queue that nobody has had before for no loss', async () => {
  const { watch, losses } = await watching();
  await pass(0);
  expect(losses()).toBe(0);
  await watch.stop();
});

it('tells it once there is an exchange again to bind to', async () => {
  const { broker, watch, losses } = await watching();
  broker.loseEvents();
  broker.refuses.set(exchanges.events, new BrokerError('no-exchange', 'gone'));
  await pass(10_000);
  expect(losses()).toBe(0);
  broker.refuses.clear();
  await pass(1_000);
  expect(losses()).toBe(1);
  await watch.stop();
});

it('takes a broker that is behind for no loss, nor one that refuses, nor one that was emptied', async () => {
  const { broker, watch, losses } = await watching();
  broker.isBehind = true;
  await pass(30_000);
  broker.catchUp();
  await pass(5_000);
  broker.refuses.set(exchanges.events, new BrokerError('publish-refused', 'no right'));
  await pass(5_000);
  broker.refuses.clear();
  broker.bindings.clear();
  await pass(5_000);
  expect(losses()).toBe(0);
  expect([...broker.bindings].some((each) => each.startsWith(exchanges.events))).toBe(true);
  await watch.stop();
});

it('binds again at once for who asks, and says that bindings have gone for as long as it cannot', async () => {
  const { broker, watch, losses } = await watching();
  expect(await watch.hasLost()).toBe(false);
  broker.loseEvents();
  expect([await Promise.all([watch.hasLost(), watch.hasLost()]), losses()]).toEqual([[false, false], 1]);
  broker.loseEvents();
  broker.refuses.set(exchanges.events, new BrokerError('no-exchange', 'gone'));
  expect([await watch.hasLost(), await watch.hasLost(), losses()]).toEqual([true, true, 1]);
  broker.refuses.clear();
  expect([await watch.hasLost(), losses()]).toEqual([false, 2]);
  await watch.stop();
});

it('knows that there is nothing to bind to, also on a broker that was emptied, where that is no loss', async () => {
  const { broker, watch, losses } = await watching();
  expect([await watch.hasLost(), watch.isBound]).toEqual([false, true]);
  broker.bindings.clear();
  broker.refuses.set(exchanges.events, new BrokerError('no-exchange', 'gone'));
  expect([await watch.hasLost(), watch.isBound]).toEqual([false, false]);
  broker.refuses.clear();
  expect([await watch.hasLost(), watch.isBound, losses()]).toEqual([false, true, 0]);
  await watch.stop();
});

it('says to who asks that nothing has gone where it cannot know', async () => {
  const { broker, watch } = await watching();
  broker.isBehind = true;
  broker.loseEvents();
  const inVain = watch.hasLost();
  await pass(1_000);
  expect(await inVain).toBe(false);
  await watch.stop();
});

it('shows whoever asks that all is bound, by one look for all who ask before it begins', async () => {
  const { broker, watch } = await watching();
  const before = broker.probes;
  const answers = Promise.all([watch.areThere(1_000), watch.areThere(1_000)]);
  await pass(100);
  expect(await answers).toEqual([true, true]);
  expect(broker.probes).toBe(before + 1);
});

it('does not wait for its turn to see that bindings have gone, and has them made again', async () => {
  const { broker, watch, losses } = await watching();
  broker.loseEvents();
  const answer = watch.areThere(1_000);
  await pass(100);
  expect(await answer).toBe(false);
  await pass(1_000);
  expect(losses()).toBe(1);
  const again = watch.areThere(1_000);
  await pass(100);
  expect(await again).toBe(true);
});

it('takes no look of before the question for an answer', async () => {
  const { broker, watch } = await watching();
  broker.isBehind = true;
  await pass(1_000);
  const answer = watch.areThere(1_000);
  await pass(50);
  broker.loseEvents();
  broker.catchUp();
  await pass(100);
  expect(await answer).toBe(false);
});

it('shows nothing where its look does not come back in time', async () => {
  const { broker, watch } = await watching();
  broker.isBehind = true;
  const answer = watch.areThere(500);
  await pass(600);
  expect(await answer).toBe(false);
});
