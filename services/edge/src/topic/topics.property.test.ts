import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runs } from '../../testing/runs.js';
import { type Line, lines } from '../../testing/topic-broker.js';
import { maxLength, World } from '../../testing/topic-world.js';

const topics = ['a', 'b'];
/** Names to subscribe by: most are topics, so that each matters for itself. */
const names = [...topics, '*', 'a.#'];

/** One thing that happens. `who` counts round the clients that are open. */
class Command implements fc.AsyncCommand<object, World> {
  readonly #text: string;
  readonly #run: (world: World) => void | Promise<void>;
  constructor(text: string, run: (world: World) => void | Promise<void>) {
    this.#text = text;
    this.#run = run;
  }
  check(): boolean {
    return true;
  }
  async run(_model: object, world: World): Promise<void> {
    await this.#run(world);
    await new Promise((resolve) => setImmediate(resolve));
    world.check();
  }
  toString(): string {
    return this.#text;
  }
}

const who = fc.nat({ max: 2 });
const topic = fc.constantFrom(...topics);
const name = fc.oneof({ weight: 3, arbitrary: topic }, fc.constantFrom(...names));
const some = fc.oneof(
  { weight: 3, arbitrary: fc.subarray(topics, { minLength: 1 }) },
  fc.subarray(names, { minLength: 1 }),
);

const open = (world: World, n: number) => {
  const clients = world.clients.filter((client) => client.isOpen && !client.isMoving);
  return clients[n % clients.length];
};

const attached = some.map(
  (names) =>
    new Command(`hello ${names}, answered`, async (world) => {
      world.open(names);
      await world.drain();
    }),
);
const hello = some.map((names) => new Command(`hello ${names}`, (world) => void world.open(names)));
const helloAndBreak = some.map(
  (names) => new Command(`hello ${names} and break`, (world) => world.open(names).close()),
);
const subscribe = fc
  .tuple(who, name)
  .map(([n, name]) => new Command(`${n} subscribes ${name}`, (world) => open(world, n)?.subscribe(name)));
const unsubscribe = fc
  .tuple(who, name)
  .map(([n, name]) => new Command(`${n} unsubscribes ${name}`, (world) => open(world, n)?.unsubscribe(name)));
const close = who.map((n) => new Command(`${n} closes`, (world) => open(world, n)?.close()));
const move = who.map(
  (n) =>
    new Command(`${n} moves`, (world) => {
      const client = open(world, n);
      if (client) world.move(client);
    }),
);
const publish = fc
  .tuple(topic, fc.integer({ min: 1, max: 3 }))
  .map(([name, count]) => new Command(`publish ${count} to ${name}`, (world) => world.publish(name, count)));
const step = fc
  .tuple(fc.constantFrom<Line>(...lines), fc.integer({ min: 1, max: 4 }))
  .map(([line, count]) => new Command(`${line} ${count}`, (world) => world.step(line, count)));
const drain = fc.constant(new Command('drain', (world) => world.drain()));
/** Lines that are held while everything else happens that can. */
const held = fc.oneof(
  fc.constantFrom<Line>(...lines).map((line) => [line]),
  fc.constantFrom<Line[]>(
    ['bindingRequests', 'otherBindingRequests'],
    ['bindingAnswers', 'otherBindingAnswers'],
  ),
);
const drainExcept = held.map((at) => new Command(`drain all but ${at}`, (world) => world.drain(...at)));
const recover = held.map(
  (at) =>
    new Command(`recover all but ${at}`, async (world) => {
      await world.drain(...at);
      world.stall(100, (ms) => vi.advanceTimersByTime(ms));
      await world.drain(...at);
    }),
);
const time = fc
  .constantFrom(1, 100, 300, 1_000, 5_000, 11_000)
  .map((ms) => new Command(`${ms} ms`, (world) => world.stall(ms, (each) => vi.advanceTimersByTime(each))));

const fault = (text: string, run: (world: World) => void) =>
  new Command(text, (world) => {
    world.hasFaults = true;
    run(world);
  });
const loss = fc.constantFrom(
  fault('connection lost', (world) => world.broker.loseConnection()),
  fault('queue deleted', (world) => world.broker.deleteQueues()),
);
const failure = fc
  .tuple(fc.constantFrom('topics' as const, 'others' as const), fc.boolean())
  .map(([kind, isCarriedOut]) =>
    fault(`no answer about ${kind}, ${isCarriedOut ? '' : 'not '}carried out`, (world) =>
      world.broker.failures[kind].push(isCarriedOut),
    ),
  );
const republish = fc.constant(fault('publishing connection lost', (world) => world.broker.losePublisher()));
const overflow = topic.map((name) =>
  fault(`overflow by ${name}`, (world) => world.publish(name, maxLength + 8)),
);

/** A loss or a quiet time, and what happens while the queue comes back halfway. */
const meanwhile = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: publish },
    { weight: 2, arbitrary: move },
    subscribe,
    unsubscribe,
    close,
    helloAndBreak,
  ),
  { maxLength: 3, size: 'max' },
);
const episodeOf = (fault: fc.Arbitrary<Command>) =>
  fc
    .tuple(fc.option(attached), fc.option(fault), meanwhile, recover, meanwhile, drainExcept)
    .map(([client, first, before, halfway, after, last]) => {
      const parts = [client, first, ...before, halfway, ...after, last].filter((part) => part !== null);
      return new Command(`(${parts.join('; ')})`, async (world) => {
        for (const part of parts) await part.run({}, world);
      });
    });

const steps = fc.oneof({ weight: 2, arbitrary: step }, drain, drainExcept, recover);
const common = [
  attached,
  hello,
  helloAndBreak,
  subscribe,
  unsubscribe,
  close,
  move,
  publish,
  publish,
  steps,
  time,
];
const faults = [loss, failure, republish];
const length = { maxCommands: 30, size: 'max' } as const;
const commands = fc.oneof(
  { weight: 3, arbitrary: fc.commands([...common, ...faults, episodeOf(loss)], length) },
  // What a full queue drops is noticed only afterwards, so less can be demanded of these.
  {
    weight: 1,
    arbitrary: fc.commands([...common, ...faults, episodeOf(fc.oneof(loss, overflow)), overflow], length),
  },
);

describe('topics, whatever happens in whatever order', () => {
  beforeAll(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
  });
  afterAll(() => {
    vi.useRealTimers();
  });

  it('bring a subscriber each message once and in order or tell it a gap, bind what is wanted and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        // One that failed has left its own.
        vi.clearAllTimers();
        const world = new World();
        await world.start();
        await fc.asyncModelRun(() => ({ model: {}, real: world }), sequence);
        await world.finish((ms) => vi.advanceTimersByTime(ms));
        await world.stop();
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: runs },
    );
  }, 600_000);
});
