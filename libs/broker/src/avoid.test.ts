import { EventEmitter } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { Broker } from './broker.js';
import { BrokerError } from './errors.js';

/** A connection that ends in order. */
class Model extends EventEmitter {
  readonly connection = { stream: { destroy: () => {} }, serverProperties: { version: '4.0.5' } };

  async close(): Promise<void> {
    this.emit('close');
  }
}

const silent = new Set<string>();
const dialled: string[] = [];
let broker: Broker;

async function connected(): Promise<void> {
  broker = await Broker.connect({
    url: 'amqp://u:p@one,amqp://u:p@two:5673,amqps://u:p@three',
    name: 'test',
    retryMinMs: 1,
    random: () => 0,
    dial: async (url) => {
      const { hostname } = new URL(url);
      dialled.push(hostname);
      if (silent.has(hostname)) throw new BrokerError('broker-unreachable', `${hostname} is silent`);
      return new Model();
    },
  });
}

afterEach(async () => {
  await broker.close();
  silent.clear();
  dialled.length = 0;
});

const renewed = async (): Promise<string | undefined> => {
  const open = new Promise<void>((resolve) => broker.on('open', () => resolve()));
  broker.renew();
  await open;
  return broker.address;
};

it('names its addresses with their ports, and says which it is connected to', async () => {
  await connected();
  expect(broker.addresses).toEqual(['one:5672', 'two:5673', 'three:5671']);
  expect([broker.address, await renewed()]).toEqual(['one:5672', 'one:5672']);
});

it('goes on to an address that it does not avoid, and of those that it does to the one whose time is over first', async () => {
  await connected();
  broker.avoid('one:5672', 1_000);
  expect(broker.address).toBe('one:5672');
  expect(await renewed()).toBe('two:5673');
  broker.avoid('two:5673', 2_000);
  expect(await renewed()).toBe('three:5671');
  broker.avoid('three:5671', 3_000);
  expect(await renewed()).toBe('one:5672');
});

it('goes to what it avoids where nobody else answers', async () => {
  await connected();
  broker.avoid('one:5672', 1_000);
  for (const each of ['two', 'three']) silent.add(each);
  expect(await renewed()).toBe('one:5672');
  expect(dialled).toEqual(['one', 'two', 'three', 'one']);
});
