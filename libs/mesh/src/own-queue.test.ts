import { BrokerError } from '@evenkeel/broker';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { OwnQueue, type OwnQueueOptions } from './own-queue.js';
import { FakeConnection } from './testing/fake-connection.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function make(options: Partial<OwnQueueOptions> = {}) {
  const connection = new FakeConnection();
  const events: string[] = [];
  const queue = new OwnQueue(connection, {
    name: 'q',
    bindings: [{ exchange: 'x', key: 'always' }],
    random: () => 1,
    onDelivery: () => events.push('delivery'),
    onLost: (why) => events.push(`lost: ${why}`),
    onRemade: () => events.push('remade'),
    onRestored: ({ key }) => events.push(`restored ${key}`),
    ...options,
  });
  onTestFinished(() => queue.stop());
  return { connection, queue, events };
}

/** Lets everything that waits for nothing but its turn happen. */
const turn = () => vi.advanceTimersByTimeAsync(0);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const keys = (connection: FakeConnection) => [...(connection.only?.bindings ?? [])].sort();

it('declares, binds and consumes, and is ready only then', async () => {
  const { connection, queue, events } = make();
  expect(queue.readiness()).toBe('queue q: not started');
  await queue.start();
  const { name } = queue;
  expect(connection.operations).toEqual([`declare ${name}`, `bind ${name} x always`, `consume ${name}`]);
  expect(name).toMatch(/^q\.[\w-]{8}$/);
  expect(queue.readiness()).toBe(true);
  expect(events).toEqual([]);
});

it('touches nothing before it is started', () => {
  const { connection } = make();
  expect(connection.operations).toEqual([]);
});

it.each([
  ['its queue is deleted', (c: FakeConnection) => c.deleteAll(), 'it was deleted'],
  ['its channel is closed', (c: FakeConnection) => c.closeChannels(), 'its channel was closed'],
  ['its connection is lost', (c: FakeConnection) => c.lose(), 'its channel was closed'],
])('is made again under a new name when %s, and says so', async (_what, lose, why) => {
  const { connection, queue, events } = make();
  await queue.start();
  await queue.bind('x', 'a');
  const { name } = queue;
  lose(connection);
  await turn();
  expect(queue.isReady).toBe(false);
  expect(queue.readiness()).toContain(why);
  connection.reopen();
  await pass(10_000);
  expect(queue.isReady).toBe(true);
  expect(queue.name).not.toBe(name);
  expect(keys(connection)).toEqual(['a', 'always']);
  expect(events).toEqual([`lost: ${why}`, 'remade', 'restored a']);
});

it('notices by its own look that its queue has gone when nobody has told it', async () => {
  const { connection, queue, events } = make({ checkEveryMs: 1_000 });
  await queue.start();
  connection.deleteAll(true);
  await pass(2_000);
  expect(events).toEqual(['lost: it was deleted', 'remade']);
  expect(queue.isReady).toBe(true);
});

it('binds again with every look, since an exchange that was deleted took its bindings along', async () => {
  const { connection, queue } = make({ checkEveryMs: 1_000 });
  await queue.start();
  connection.only?.bindings.clear();
  connection.exchanges.clear();
  await pass(10_000);
  expect(connection.redeclared).toBeGreaterThan(0);
  expect(keys(connection)).toEqual(['always']);
});

it('tells that it was made again before the first delivery from the new queue', async () => {
  const { connection, queue, events } = make();
  await queue.start();
  connection.deleteAll();
  await vi.waitFor(async () => {
    await pass(10);
    connection.deliver();
    expect(events).toContain('delivery');
  });
  expect(events.slice(0, 3)).toEqual(['lost: it was deleted', 'remade', 'delivery']);
});

it.each(['declare', 'bind', 'consume'])(
  'tries one attempt after the other, with back-off, when its %s fails, and leaves no queue behind',
  async (operation) => {
    const { connection, queue, events } = make();
    for (let i = 0; i < 4; i++)
      connection.faults.push({ operation, error: new BrokerError('topology-refused', 'no') });
    void queue.start();
    await turn();
    expect(queue.readiness()).toBe('queue q: no');
    const attempts = () => connection.operations.filter((o) => o.startsWith('declare')).length;
    // Waits of 100, 200, 400 and 800 ms.
    await pass(700);
    expect(attempts()).toBe(4);
    await pass(799);
    expect(attempts()).toBe(4);
    await pass(1);
    expect(queue.isReady).toBe(true);
    expect(connection.queues.size).toBe(1);
    expect(events).toEqual([]);
  },
);

it('carries out bind and unbind in the order of the calls', async () => {
  const { connection, queue } = make({ bindings: [] });
  await queue.start();
  const { name } = queue;
  connection.operations.length = 0;
  const first = queue.bind('x', 'a');
  const away = queue.unbind('x', 'a');
  await expect(first).rejects.toMatchObject({ code: 'topology-refused' });
  await Promise.all([away, queue.bind('x', 'a'), queue.bind('x', 'b')]);
  expect(connection.operations).toEqual(
    ['bind', 'unbind', 'bind'].map((o) => `${o} ${name} x a`).concat(`bind ${name} x b`),
  );
  expect(keys(connection)).toEqual(['a', 'b']);
});

it('does not bind twice what is bound, nor what is being bound', async () => {
  const { connection, queue } = make({ bindings: [] });
  await queue.start();
  await Promise.all([queue.bind('x', 'a'), queue.bind('x', 'a')]);
  await queue.bind('x', 'a');
  expect(connection.operations.filter((o) => o.startsWith('bind'))).toHaveLength(1);
});

it('remembers what is bound while there is no queue, and forgets what is unbound', async () => {
  const { connection, queue } = make();
  await queue.start();
  await Promise.all([queue.bind('x', 'a'), queue.bind('x', 'b')]);
  connection.lose();
  await turn();
  await queue.unbind('x', 'a');
  const bound = queue.bind('x', 'c');
  connection.reopen();
  await pass(1_000);
  await bound;
  expect(keys(connection)).toEqual(['always', 'b', 'c']);
});

it('is not ready while bindings are being restored', async () => {
  const { connection, queue } = make();
  await queue.start();
  await Promise.all(['a', 'b', 'c'].map((key) => queue.bind('x', key)));
  connection.held = 'x b';
  connection.deleteAll();
  await pass(1_000);
  expect(queue.readiness()).toBe('queue q: 2 of 3 bindings to be made');
  connection.release();
  await turn();
  expect(queue.readiness()).toBe(true);
});

it('forgets a binding that the broker refuses, and lives on', async () => {
  const { connection, queue, events } = make();
  await queue.start();
  connection.faults.push({
    operation: 'x forbidden',
    error: new BrokerError('topology-refused', 'ACCESS_REFUSED'),
  });
  await expect(queue.bind('x', 'forbidden')).rejects.toMatchObject({ code: 'topology-refused' });
  expect(queue.readiness()).toBe(true);
  expect(events).toEqual([]);
});

it('declares a missing exchange again before it gives a binding up', async () => {
  const { connection, queue } = make();
  await queue.start();
  connection.exchanges.clear();
  await queue.bind('x', 'a');
  expect(connection.redeclared).toBe(1);
  await expect(queue.bind('y', 'a')).rejects.toMatchObject({ code: 'topology-refused' });
  expect(queue.isReady).toBe(true);
});

it('binds when somebody else has declared the exchange, however long that takes', async () => {
  const { connection, queue } = make({ bindings: [] });
  await queue.start();
  connection.exchanges.clear();
  connection.isPassive = true;
  const bound = queue.bind('x', 'a', 60_000);
  await pass(20_000);
  expect(queue.readiness()).toBe('queue q: 1 of 1 bindings to be made');
  connection.exchanges.add('x');
  await pass(1_000);
  await bound;
  expect(keys(connection)).toContain('a');
});

it('rejects a bind that is not carried out in time, and carries it out when it can', async () => {
  const { connection, queue } = make();
  await queue.start();
  connection.lose();
  await turn();
  const bound = queue.bind('x', 'late', 500);
  const refused = expect(bound).rejects.toMatchObject({ code: 'broker-unavailable' });
  await pass(500);
  await refused;
  connection.reopen();
  await pass(1_000);
  expect(keys(connection)).toEqual(['always', 'late']);
});

it('removes a binding in the end although an answer stayed out, and keeps it when it is wanted again', async () => {
  const { connection, queue } = make();
  await queue.start();
  await Promise.all([queue.bind('x', 'a'), queue.bind('x', 'b')]);
  const noAnswer = new BrokerError('broker-unavailable', 'No answer in time.');
  for (const key of ['a', 'b'])
    connection.faults.push({ operation: `unbind ${queue.name} x ${key}`, error: noAnswer });
  await Promise.all([queue.unbind('x', 'a'), queue.unbind('x', 'b'), queue.bind('x', 'b')]);
  expect(keys(connection)).toEqual(['always', 'b']);
});

it('answers its counts, and nothing while it is gone', async () => {
  const { connection, queue } = make();
  await queue.start();
  expect(await queue.counts()).toEqual({ messages: 0, consumers: 1 });
  connection.lose();
  await turn();
  expect(await queue.counts()).toBeUndefined();
});

it('rejects a key that AMQP cannot carry', async () => {
  const { queue } = make();
  await queue.start();
  await expect(queue.bind('x', 'ü'.repeat(128))).rejects.toMatchObject({ code: 'topology-refused' });
});

it('is made no more once it is stopped, not even in the middle of it', async () => {
  const { connection, queue } = make();
  connection.lose();
  const starting = queue.start();
  const refused = expect(starting).rejects.toMatchObject({ code: 'broker-closed' });
  const bound = expect(queue.bind('x', 'a')).rejects.toBeInstanceOf(BrokerError);
  await queue.stop();
  await Promise.all([refused, bound]);
  connection.reopen();
  await pass(10_000);
  expect(connection.operations).toEqual([]);
});

it('gives up starting when its connection is closed, and then at once', async () => {
  const { connection, queue } = make();
  connection.lose();
  const refused = expect(queue.start()).rejects.toMatchObject({ code: 'broker-closed' });
  await turn();
  connection.close();
  await refused;
  await expect(queue.start()).rejects.toMatchObject({ code: 'broker-closed' });
});

it('gives up starting when its connection is closed while it is being made', async () => {
  const { connection, queue } = make();
  connection.held = 'declare';
  const refused = expect(queue.start()).rejects.toMatchObject({ code: 'broker-closed' });
  await turn();
  connection.close();
  connection.release();
  await pass(10_000);
  await refused;
});

it('gives up starting when its signal aborts', async () => {
  const { connection, queue } = make();
  connection.lose();
  const aborting = new AbortController();
  const refused = expect(queue.start(aborting.signal)).rejects.toMatchObject({ code: 'broker-closed' });
  aborting.abort();
  await refused;
});

it('consumes and pauses when told, also across a loss', async () => {
  const { connection, queue } = make({ isConsumed: false, isDurable: true });
  const consumers = () => connection.only?.consumers.size;
  await queue.start();
  expect(queue.name).toBe('q');
  expect([queue.isReady, consumers()]).toEqual([true, 0]);
  await queue.consume();
  expect(consumers()).toBe(1);
  connection.deleteAll();
  await pass(1_000);
  expect(consumers()).toBe(1);
  await queue.pause();
  expect(consumers()).toBe(0);
  connection.deleteAll(true);
  await pass(10_000);
  expect([queue.isReady, consumers()]).toEqual([true, 0]);
});

it('has in the end exactly the bindings that were asked for, whatever went between', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('bind' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('unbind' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({
      do: fc.constantFrom('delete' as const, 'lose' as const, 'reopen' as const, 'close' as const),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { connection, queue } = make({ checkEveryMs: 1_000 });
      const wanted = new Set<string>();
      void queue.start();
      for (const each of steps) {
        if (each.do === 'bind') {
          wanted.add(each.key);
          queue.bind('x', each.key).catch(() => {});
        } else if (each.do === 'unbind') {
          wanted.delete(each.key);
          void queue.unbind('x', each.key);
        } else if (each.do === 'delete') connection.deleteAll();
        else if (each.do === 'close') connection.closeChannels();
        else if (each.do === 'lose') connection.lose();
        else if (each.do === 'reopen') connection.reopen();
        else if (each.do === 'wait') await pass(each.ms);
      }
      connection.reopen();
      await pass(30_000);
      expect(queue.readiness()).toBe(true);
      expect(keys(connection)).toEqual([...wanted, 'always'].sort());
      await queue.stop();
    }),
    { numRuns: 200 },
  );
});

it('keeps the name that it is given, leaves what somebody else may have by it, and tells of each try in vain', async () => {
  const failed: string[] = [];
  const { connection, queue } = make({
    isNamed: true,
    bindings: [],
    onFailed: (error) => failed.push((error as BrokerError).code),
  });
  const error = new BrokerError('queue-locked', 'another connection owns it');
  connection.faults.push({ operation: 'declare q', error });
  const started = queue.start();
  await pass(1_000);
  await started;
  expect({ failed, name: queue.name }).toEqual({ failed: ['queue-locked'], name: 'q' });
  await queue.stop();
  expect(connection.operations.filter((operation) => operation.startsWith('delete'))).toEqual([]);
});
