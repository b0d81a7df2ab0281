import { exchanges } from '@evenkeel/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { maxLength, World } from '../../testing/topic-world.js';

/** The queue is made again a moment after its end. */
const pass = async (world: World, ms = 100) => {
  await world.drain();
  vi.advanceTimersByTime(ms);
  await world.drain();
};
const seen = (client: World['clients'][number] | undefined) =>
  client?.frames.filter(({ t }) => t !== 'ok').map(({ t, data, reason }) => data ?? `${t} ${reason}`);

describe('topics', () => {
  let world: World;
  beforeEach(async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    world = new World();
    await world.start();
  });
  afterEach(async () => {
    await world.finish((ms) => vi.advanceTimersByTime(ms));
    await world.stop();
    vi.useRealTimers();
  });

  it('stay with who subscribes them when somebody says hello and breaks, and others come and go', async () => {
    world.open(['a']).close();
    const alice = world.open(['a']);
    await world.drain();
    world.open(['a']).close();
    const bob = world.open([]);
    bob.subscribe('a');
    bob.unsubscribe('a');
    await pass(world, 11_000);
    world.publish('a', 1);
    await world.drain();
    expect(seen(alice)).toEqual([1]);
    expect(world.hub.faults).toBe(0);
  });

  it('are bound in their turn where they are new on the edge, and not where nobody waits any more', async () => {
    const turns: (() => boolean)[] = [];
    world.turns = turns;
    const [first, left] = [world.open(['a']), world.open(['b'])];
    await world.drain();
    expect(world.broker.bindingsOf(exchanges.events)).toEqual([]);
    left.close();
    expect(turns.map((take) => take())).toEqual([true, false]);
    await world.drain();
    expect(world.broker.bindingsOf(exchanges.events)).toEqual(['topic.a']);
    // It is not new any more.
    const second = world.open(['a']);
    await world.drain();
    world.publish('a', 1);
    await world.drain();
    expect([turns.length, seen(first), seen(second)]).toEqual([2, [1], [1]]);
  });

  it('get a message by any of its keys, of CC too, once each', async () => {
    const [a, b] = [world.open(['a']), world.open(['b'])];
    await world.drain();
    world.broker.publish(exchanges.events, 'topic.a', '1', ['topic.b', 'topic.a', 'topic.nobody']);
    await world.drain();
    expect([seen(a), seen(b)]).toEqual([[1], [1]]);
    world.hasFaults = true;
  });

  it('are told a gap in place of a message that is longer than frames may be', async () => {
    const a = world.open(['a']);
    await world.drain();
    for (const body of ['1', JSON.stringify('x'.repeat(1_000)), '2'])
      world.broker.publish(exchanges.events, 'topic.a', body);
    await world.drain();
    expect(seen(a)).toEqual([1, 'gap too-large', 2]);
    world.hasFaults = true;
  });

  it('stay bound for a while without a subscriber, and no longer', async () => {
    world.open(['a']).close();
    await pass(world, 9_000);
    expect(world.broker.bindingsOf(exchanges.events)).toEqual(['topic.a']);
    await pass(world, 1_000);
    expect(world.broker.bindingsOf(exchanges.events)).toEqual([]);
    expect(world.hub.size).toBe(0);
  });

  it.each(['queue deleted', 'connection lost'])(
    'have a gap told to each subscriber, once: %s',
    async (how) => {
      const clients = [world.open(['a']), world.open(['a', 'b']), world.open([])];
      await world.drain();
      world.hasFaults = true;
      if (how === 'queue deleted') world.broker.deleteQueues();
      else world.broker.loseConnection();
      world.publish('a', 1);
      await world.drain();
      expect(world.hub.readiness()).not.toBe(true);
      await pass(world);
      expect(world.hub.readiness()).toBe(true);
      world.publish('a', 1);
      await world.drain();
      expect(clients.map(seen)).toEqual([
        ['gap broker-lost', 2],
        ['gap broker-lost', 'gap broker-lost', 2],
        [],
      ]);
    },
  );

  it('have the gap told before the first message behind it, though that overtakes the answer to the bind', async () => {
    const client = world.open(['a']);
    await world.drain();
    world.hasFaults = true;
    world.broker.deleteQueues();
    world.publish('a', 1);
    await world.drain();
    vi.advanceTimersByTime(100);
    await world.drain('bindingAnswers', 'otherBindingAnswers');
    expect(seen(client)).toEqual([]);
    world.publish('a', 1);
    await world.drain('bindingAnswers', 'otherBindingAnswers');
    expect(seen(client)).toEqual(['gap broker-lost', 2]);
    await world.drain();
    expect(seen(client)).toEqual(['gap broker-lost', 2]);
  });

  it('cannot be left without a gap while one is owed: the fence does not pass', async () => {
    const client = world.open(['a', 'b']);
    await world.drain();
    world.hasFaults = true;
    world.broker.deleteQueues();
    world.publish('b', 1);
    await world.drain();
    vi.advanceTimersByTime(100);
    await world.drain('bindingRequests', 'otherBindingRequests');
    const fence = world.hub.fence(1_000);
    await world.drain('bindingRequests', 'otherBindingRequests');
    vi.advanceTimersByTime(1_000);
    expect(await fence).toBe(false);
    world.move(client);
    await world.drain();
    expect(seen(client)).toEqual(['gap connection-lost', 'gap connection-lost']);
  });

  it('cannot be left without a gap where what leads to them has gone, though a marker still comes', async () => {
    world.open(['a']);
    await world.drain();
    world.areBound = false;
    const fence = world.hub.fence(1_000);
    await world.drain();
    expect(await fence).toBe(false);
  });

  it('have what a full queue dropped told to who leaves too, though that is seen only behind its mark', async () => {
    const [leaving, staying] = [world.open(['a']), world.open(['a'])];
    await world.drain();
    world.hasFaults = true;
    world.publish('a', maxLength + 8);
    world.move(leaving);
    await world.drain('topologyRequests');
    expect(seen(leaving)).not.toContain('gap overflow');
    await world.drain();
    expect([leaving.isOpen, seen(leaving)?.at(-1)]).toEqual([false, 'gap overflow']);
    expect(seen(leaving)).toEqual(seen(staying));
  });
});
