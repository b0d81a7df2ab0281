import { setImmediate as turn } from 'node:timers/promises';
import type { StandardSchema } from '@evenkeel/protocol/wire';
import { expect, it, onTestFinished } from 'vitest';
import { FakeRabbit } from '../testing/fake-rabbit.js';
import { createPublisher } from './publisher.js';

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

it('events go in the order of the calls, also where schemas of some are asynchronous', async () => {
  const rabbit = new FakeRabbit();
  const schema = new LaterSchema();
  const mesh = { events: { checked: schema }, topics: { checked: schema } };
  const options = { amqpUrl: 'amqp://one', name: 'shop', dial: rabbit.dial };
  const publisher = await createPublisher({ ...options, mesh: mesh as never });
  onTestFinished(() => publisher.close());
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
