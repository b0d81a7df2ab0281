import { setImmediate as turn } from 'node:timers/promises';
import type { StandardSchema } from '@evenkeel/protocol/wire';
import { expect, it, onTestFinished } from 'vitest';
import { FakeRabbit } from '../testing/fake-rabbit.js';
import { createPublisher, type Publisher } from './publisher.js';

/** A schema that answers when it is told to. */
class LaterSchema implements StandardSchema {
  readonly #waiting: (() => void)[] = [];
  readonly '~standard' = {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) =>
      new Promise<{ value: unknown }>((resolve) => this.#waiting.push(() => resolve({ value }))),
  };

  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

async function make(mesh?: object) {
  const rabbit = new FakeRabbit();
  const options = { amqpUrl: 'amqp://one', name: 'shop', dial: rabbit.dial };
  const publisher = (await createPublisher({ ...options, ...(mesh && { mesh }) } as never)) as Publisher;
  onTestFinished(() => publisher.close());
  return { rabbit, publisher };
}

it('events go in the order of the calls, also where schemas of some are asynchronous', async () => {
  const schema = new LaterSchema();
  const { rabbit, publisher } = await make({ events: { checked: schema }, topics: { checked: schema } });
  const calls = [
    publisher.toUser('a', 'checked', 1),
    publisher.toUser('b', 'plain', 1),
    publisher.toTopic('checked', 1),
    publisher.toTopic('plain', 1),
    publisher.toUsers(['c', 'd'], 'checked', 1),
    publisher.toUsers(['e'], 'plain', 1),
    publisher.event({ users: ['f'], event: 'checked', payload: 1 }),
    publisher.event({ users: ['g'], event: 'plain', payload: 1 }),
    publisher.batch([
      { user: 'h', event: 'plain', payload: 1 },
      { user: 'i', event: 'checked', payload: 1 },
    ]),
    publisher.toUser('j', 'plain', 1),
  ];
  await turn();
  expect(rabbit.published).toEqual([]);
  expect(publisher.figures().connections.publishing.waiting).toBe(12);
  schema.answer();
  await Promise.all(calls);
  const of = (who: string, what: string) => `user.${who}.${what}`;
  expect(rabbit.published).toEqual([
    of('a', 'checked'),
    of('b', 'plain'),
    'topic.checked',
    'topic.plain',
    of('c', 'checked'),
    of('d', 'checked'),
    of('e', 'plain'),
    of('f', 'checked'),
    of('g', 'plain'),
    of('h', 'plain'),
    of('i', 'checked'),
    of('j', 'plain'),
  ]);
});

it('a batch is sent as RabbitMQ confirms it, in order, whatever its size and however many are on their way', async () => {
  const { rabbit, publisher } = await make();
  const before = Array.from({ length: 5_000 }, (_, n) => publisher.toUser(`before-${n}`, 'x', n));
  // Together 160 MiB.
  const payload = new Uint8Array(4_194_304);
  const large = Array.from({ length: 40 }, (_, n) => ({ user: `large-${n}`, event: 'x', payload }));
  const many = Array.from({ length: 9_960 }, (_, n) => ({ user: `many-${n}`, event: 'x', payload: n }));
  const batch = publisher.batch([...large, ...many]);
  const after = publisher.toUser('after', 'x', 1);
  expect(publisher.figures().connections.publishing.waiting).toBeGreaterThan(10_000);
  await Promise.all([...before, after]);
  const results = await batch;
  expect(results.filter(({ routed, error }) => !routed || error !== undefined)).toEqual([]);
  const keys = [
    ...Array.from(before.keys(), (n) => `before-${n}`),
    ...[...large, ...many].map(({ user }) => user),
  ];
  expect(rabbit.published).toEqual([...keys, 'after'].map((user) => `user.${user}.x`));
  expect(publisher.figures().connections.publishing.waiting).toBe(0);
});
