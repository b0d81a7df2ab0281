import { ServiceError } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDouble } from '../support/worlds/double.js';
import { openReal } from '../support/worlds/real.js';
import { newUser, typesOf, type Watched, type World, watch } from '../support/worlds/world.js';

// What @evenkeel/testing promises is what a mesh does: each of these runs on both.
describe.each([
  ['the double', openDouble],
  ['a mesh', openReal],
] as const)('on %s', (_name, open) => {
  let world: World;
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world?.close());

  const publisher = (() => {
    let made: ReturnType<World['createPublisher']> | undefined;
    return () => {
      made ??= world.createPublisher('shop');
      return made;
    };
  })();
  const send = async ({ user }: Pick<Watched, 'user'>, ...data: unknown[]) =>
    (await Promise.all(data.map(async (each) => (await publisher()).toUser(user, 'n', each)))).map(
      ({ routed }) => routed,
    );

  describe('events', () => {
    it('reach every session of their user in order, and nobody else', async () => {
      const one = await watch(world);
      const other = await watch(world, { user: one.user });
      const stranger = await watch(world);
      expect(await send(one, 1, 2, 3, 4, 5)).toEqual([true, true, true, true, true]);
      expect(await one.saw(5)).toEqual([1, 2, 3, 4, 5]);
      expect(await other.saw(5)).toEqual([1, 2, 3, 4, 5]);
      expect(stranger.seen).toEqual([]);
    });

    it('of a user without a session are not routed', async () => {
      expect(await send({ user: newUser() }, 1)).toEqual([false]);
    });

    it('carry JSON, texts and bytes, their id, their time, and headers that begin with x-', async () => {
      const at = await watch(world, { user: 'zoë@example.org' });
      const events: object[] = [];
      at.client.on('all.kinds', ({ id, data, headers }) => void events.push({ id, data, headers }));
      const to = await publisher();
      const before = Date.now();
      await to.toUser(
        at.user,
        'all.kinds',
        { a: [1, null] },
        { id: 'e1', headers: { 'x-shop': 'a', other: 'b' } },
      );
      await to.toUser(at.user, 'all.kinds', '42', { id: 'e2', contentType: 'text/plain' });
      await to.toUser(at.user, 'all.kinds', new Uint8Array([255, 0]), { id: 'e3', contentType: 'image/png' });
      const last = await new Promise<number>((resolve) => {
        at.client.on('last', ({ at: time }) => resolve(time));
        void to.toUser(at.user, 'last', null);
      });
      expect(events).toEqual([
        { id: 'e1', data: { a: [1, null] }, headers: { 'x-shop': 'a' } },
        { id: 'e2', data: '42' },
        { id: 'e3', data: new Uint8Array([255, 0]) },
      ]);
      expect(last).toBeGreaterThanOrEqual(before);
      expect(last).toBeLessThanOrEqual(Date.now());
    });

    it('carry the trace context to the page, requests to the service, and nothing of a malformed one', async () => {
      const at = await watch(world);
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const traces: unknown[] = [];
      at.client.on('traced', (event) => void traces.push(event.traceparent));
      const to = await publisher();
      await to.serve('shop.trace', (message) => message.traceparent ?? null);
      await to.toUser(at.user, 'traced', 1, { traceparent });
      await to.toUser(at.user, 'traced', 2, { headers: { traceparent: 'x' } });
      await eventually('both', () => traces.length === 2);
      expect(traces).toEqual([traceparent, undefined]);
      expect(await at.client.request('shop.trace', 1, { traceparent })).toBe(traceparent);
    });

    it('wait until the handler before has settled', async () => {
      const at = await watch(world, { onEvent: (data) => data === 1 && settleLater() });
      const log: string[] = [];
      const settleLater = async () => {
        await (await publisher()).toUser(newUser(), 'n', 0);
        log.push('settled');
      };
      at.client.on('n', ({ data }) => void log.push(`event ${data}`));
      await send(at, 1, 2);
      await eventually('both', () => log.length === 3);
      expect(log).toEqual(['event 1', 'settled', 'event 2']);
    });

    it('with an id that has come already are not handed on, and that is told', async () => {
      const at = await watch(world);
      const to = await publisher();
      await to.toUser(at.user, 'n', 'first', { id: `${at.user}-1` });
      await to.toUser(at.user, 'n', 'again', { id: `${at.user}-1` });
      await send(at, 'next');
      expect(await at.saw(2)).toEqual(['first', 'next']);
      expect(await at.status('duplicate-id')).toMatchObject({ id: `${at.user}-1`, count: 1 });
    });
  });

  describe('a lost network', () => {
    it('keeps the events: they are routed, and come in order when the client is back', async () => {
      const at = await watch(world, { isSealed: true });
      await send(at, 1);
      await at.saw(1);
      world.disconnect(at.client);
      await at.status('disconnected');
      expect(at.client.state).toBe('connecting');
      expect(await send(at, 2, 3, 4)).toEqual([true, true, true]);
      world.restore(at.client);
      expect(await at.saw(4)).toEqual([1, 2, 3, 4]);
      expect(typesOf(at)).toEqual(['connected', 'disconnected', 'connected']);
      expect(at.statuses.at(-1)).toMatchObject({ type: 'connected', resumed: true });
    });

    it('repeats no event whose handler was running', async () => {
      let settle = (): void => {};
      const at = await watch(world, {
        isSealed: true,
        onEvent: (data) => data === 1 && new Promise<void>((done) => (settle = done)),
      });
      await send(at, 1, 2);
      await at.saw(1);
      world.disconnect(at.client);
      world.restore(at.client);
      await eventually(
        'back',
        () => at.statuses.filter(({ type }) => type === 'connected').length === 2,
        15_000,
      );
      settle();
      await send(at, 3);
      expect(await at.saw(3)).toEqual([1, 2, 3]);
    });

    it('with events lost is told before the next one', async () => {
      const at = await watch(world, { isSealed: true });
      world.disconnect(at.client);
      await at.status('disconnected');
      await send(at, 1, 2);
      await world.loseWaiting(at.client, at.user);
      world.restore(at.client);
      await at.status('gap');
      await send(at, 3);
      expect(await at.saw(2)).toEqual(['gap overflow', 3]);
    });

    it('that outlasts the session is told, and what was published meanwhile is gone', async () => {
      const at = await watch(world, { isSealed: true });
      world.disconnect(at.client);
      await at.status('disconnected');
      await send(at, 1);
      await world.expire(at.client, at.user);
      expect(await send(at, 2)).toEqual([false]);
      world.restore(at.client);
      await at.status('gap');
      await send(at, 3);
      expect(await at.saw(2)).toEqual(['gap session-expired', 3]);
      expect(at.statuses.filter(({ type }) => type === 'connected').at(-1)).toMatchObject({ resumed: false });
    });
  });

  describe('a move', () => {
    it('loses, repeats and reorders neither events nor messages, and is no disconnect', async () => {
      const at = await watch(world);
      const messages: unknown[] = [];
      await at.client.subscribe('prices.a', ({ data }) => void messages.push(data));
      const from = at.client.node;
      const to = await publisher();
      const numbers = Array.from({ length: 40 }, (_, i) => i);
      const sent = (async () => {
        for (const n of numbers) {
          await Promise.all([to.toUser(at.user, 'n', n), to.toTopic('prices.a', n)]);
          if (n === 10) await world.move(at.client);
        }
      })();
      const moved = await at.status('moved');
      await sent;
      await send(at, 40);
      expect(await at.saw(41)).toEqual([...numbers, 40]);
      await eventually('all messages', () => messages.length === 40);
      expect(messages).toEqual(numbers);
      expect(moved).toMatchObject({ from, node: at.client.node });
      expect(moved.node).not.toBe(from);
      expect(typesOf(at)).toEqual(['connected', 'moving', 'moved']);
    });
  });

  describe('a session', () => {
    it('that its client closes stays, and another client goes on in it', async () => {
      const first = await watch(world, { isSealed: true });
      const { session } = first.client;
      await first.client.close();
      expect(await send(first, 1)).toEqual([true]);
      const next = await watch(world, { user: first.user, ...(session !== undefined && { session }) });
      expect(await next.saw(1)).toEqual([1]);
    });

    it('that its client ends is over: nobody is there any more', async () => {
      const at = await watch(world);
      expect(await at.client.end()).toBe(true);
      expect(at.client.state).toBe('closed');
      await eventually('the end', async () => (await send(at, 1))[0] === false);
    });

    it('is taken over by a newer client with its id', async () => {
      const older = await watch(world);
      const { session } = older.client;
      await watch(world, { user: older.user, ...(session !== undefined && { session }) });
      expect((await older.status('closed')).error).toMatchObject({ code: 'superseded' });
    });

    it('of a user whom an operator disconnects is closed for good', async () => {
      const at = await watch(world);
      await world.expel(at.user);
      expect((await at.status('closed')).error).toMatchObject({ code: 'disconnected' });
      await expect(at.client.request('x')).rejects.toMatchObject({ code: 'closed' });
    });
  });

  describe('topics', () => {
    it('reach whoever has subscribed them, and no longer', async () => {
      const at = await watch(world);
      const to = await publisher();
      expect((await to.toTopic('news.a', 0)).routed).toBe(false);
      const messages: unknown[] = [];
      const subscription = await at.client.subscribe('news.a', ({ data }) => void messages.push(data));
      expect((await to.toTopic('news.a', 1)).routed).toBe(true);
      await to.toTopic('news.b', 'another');
      await to.toTopic('news.a', 2);
      await eventually('both', () => messages.length === 2);
      await at.client.subscribe('news.b', () => void messages.push('marker'));
      await subscription.unsubscribe();
      await to.toTopic('news.a', 3);
      await to.toTopic('news.b', 4);
      await eventually('the marker', () => messages.length === 3);
      expect(messages).toEqual([1, 2, 'marker']);
    });

    it('have a gap where the network was away, and go on', async () => {
      const at = await watch(world, { isSealed: true });
      const messages: unknown[] = [];
      await at.client.subscribe('news.c', ({ data }) => void messages.push(data));
      world.disconnect(at.client);
      await at.status('disconnected');
      await (await publisher()).toTopic('news.c', 'lost');
      world.restore(at.client);
      await at.status('gap');
      expect(at.seen).toEqual(['gap connection-lost news.c']);
      await (await publisher()).toTopic('news.c', 'next');
      await eventually('the next', () => messages.length > 0);
      expect(messages).toEqual(['next']);
    });

    it('with a name that cannot be are refused', async () => {
      const { client } = await watch(world);
      await expect(client.subscribe('no spaces', () => {})).rejects.toMatchObject({ code: 'bad-name' });
    });
  });

  describe('services', () => {
    it('answer requests, and know who asks', async () => {
      const at = await watch(world);
      const service = await publisher();
      await service.serve('shop.greet', ({ user, session, data }) => ({ user, session, data }));
      const { session } = at.client;
      expect(await at.client.request('shop.greet', [1])).toEqual({ user: at.user, session, data: [1] });
    });

    it('get bytes as bytes, and answer with them', async () => {
      const { client } = await watch(world);
      const service = await publisher();
      const got: unknown[] = [];
      await service.serve('shop.bytes', ({ data }) => {
        got.push(data);
        return Uint8Array.of(255, 0, 42);
      });
      await service.on('shop.picture', ({ data }) => void got.push(data));
      expect(await client.request('shop.bytes', Uint8Array.of(1, 254))).toEqual(Uint8Array.of(255, 0, 42));
      await client.publish('shop.picture', Uint8Array.of(2, 253));
      await eventually('both', () => got.length === 2);
      expect(got.map((data) => Array.from(data as Uint8Array))).toEqual([
        [1, 254],
        [2, 253],
      ]);
    });

    it('that nobody runs are no-service, for a request and for a publish', async () => {
      const { client } = await watch(world);
      await expect(client.request('nobody.here')).rejects.toMatchObject({ code: 'no-service' });
      await expect(client.publish('nobody.here', 1)).rejects.toMatchObject({
        code: 'no-service',
        message: expect.stringContaining('publish() goes to services'),
      });
    });

    it('get what a client publishes, in order', async () => {
      const { client, user } = await watch(world);
      const got: unknown[] = [];
      await (await publisher()).on('shop.log', ({ data, user: from }) => void got.push([from, data]));
      await Promise.all([1, 2, 3].map((n) => client.publish('shop.log', n)));
      await eventually('all', () => got.length === 3);
      expect(got).toEqual([1, 2, 3].map((n) => [user, n]));
    });

    it('reach their client in the words of a ServiceError, and with nothing of another error', async () => {
      const { client } = await watch(world);
      const service = await publisher();
      await service.serve('shop.fail', ({ data }) => {
        throw data === 'told' ? new ServiceError('sold-out', 'none left') : new Error('password=hunter2');
      });
      await expect(client.request('shop.fail', 'told')).rejects.toMatchObject({
        code: 'sold-out',
        message: 'none left',
      });
      await expect(client.request('shop.fail')).rejects.toMatchObject({
        code: 'service-error',
        message: 'the service failed',
      });
    });

    it('get what was confirmed while none of them ran', async () => {
      const { client } = await watch(world);
      const got: unknown[] = [];
      const first = await world.createPublisher('keeper');
      await first.on('keeper.log', ({ data }) => void got.push(data));
      await client.publish('keeper.log', 1);
      await eventually('the first', () => got.length === 1);
      await first.close();
      await client.publish('keeper.log', 2);
      const next = await world.createPublisher('keeper');
      await next.on('keeper.log', ({ data }) => void got.push(data));
      await eventually('the second', () => got.length === 2);
      await next.close();
      expect(got).toEqual([1, 2]);
    });

    it('handle again what failed, and what its session sent later waits for that', async () => {
      const { client } = await watch(world);
      const handled: unknown[] = [];
      const handler = ({ data }: { data: unknown }) => {
        handled.push(data);
        if (handled.length === 1) throw new Error('this time');
      };
      await (await publisher()).on('shop.retried', handler, { retryDelaysMs: [50] });
      await Promise.all([client.publish('shop.retried', 1), client.publish('shop.retried', 2)]);
      await eventually('all', () => handled.length === 3);
      expect(handled).toEqual([1, 1, 2]);
    });

    it('of another name cannot serve a method that is taken, nor one twice', async () => {
      const service = await publisher();
      await service.serve('shop.mine', () => 1);
      const other = await world.createPublisher('other');
      await expect(other.serve('shop.mine', () => 2)).rejects.toMatchObject({
        code: 'method-taken',
        message: expect.stringContaining('"shop"'),
      });
      await other.close();
      await expect(service.serve('shop.mine', () => 3)).rejects.toThrow();
    });

    it('share the work of a method under one name', async () => {
      const { client } = await watch(world);
      const handled = [0, 0];
      for (const at of [0, 1]) {
        const service = await world.createPublisher('sharing');
        await service.serve('sharing.work', () => {
          handled[at] = (handled[at] ?? 0) + 1;
        });
      }
      await Promise.all(Array.from({ length: 20 }, () => client.request('sharing.work')));
      expect(handled[0]).toBeGreaterThan(0);
      expect(handled[1]).toBeGreaterThan(0);
      expect((handled[0] ?? 0) + (handled[1] ?? 0)).toBe(20);
    });

    it('get what a client asks while its network is away, once it is back', async () => {
      const at = await watch(world);
      await (await publisher()).serve('shop.late', () => 'answer');
      world.disconnect(at.client);
      await at.status('disconnected');
      const answer = at.client.request('shop.late');
      world.restore(at.client);
      expect(await answer).toBe('answer');
    });
  });
});
