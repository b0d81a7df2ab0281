import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { deferred, scripted } from '../support/scripted-edge-client.js';

describe('directed events', () => {
  it('reach the handler of their name, that of all names, and no other', async () => {
    const { client, connected, events } = await scripted();
    const named: unknown[] = [];
    client.on('order.created', (event) => named.push(event.data));
    client.on('order.deleted', () => named.push('wrong'));
    const at = await connected();
    at.event('1', { name: 'order.created', data: { n: 1 } });
    at.event('2', { name: 'order.paid' });
    await eventually('both', () => events.length === 2);
    expect(named).toEqual([{ n: 1 }]);
  });

  it('carry bytes as a Uint8Array', async () => {
    const { client, connected } = await scripted();
    const got: unknown[] = [];
    client.onEvent((event) => got.push(event.data));
    (await connected()).event('1', { data: 'AP8=', encoding: 'base64', contentType: 'image/png' });
    await eventually('the event', () => got.length === 1);
    expect(got).toEqual([Uint8Array.of(0, 255)]);
  });

  it('whose handler takes longer than a heartbeat are told to be in hand, each heartbeat, until it has settled', async () => {
    const { promise, resolve } = deferred();
    const { a, events } = await scripted({ ackEvery: 1 }, (id) => (id === '2' ? promise : undefined));
    a.defaults.welcome = false;
    const at = await a.next();
    await at.take('hello');
    at.welcome({ heartbeatMs: 200 });
    at.event('1');
    await at.take('ack');
    at.event('2');
    const busy = () => at.all('ack').filter((ack) => ack.busy);
    await eventually('three heartbeats', () => busy().length >= 3);
    expect(busy().every(({ seq }) => seq === 1)).toBe(true);
    resolve();
    await eventually('the acknowledgement', () => at.acked === 2);
    const before = busy().length;
    await eventually('two pings more', () => at.all('ping').length >= 2);
    expect(busy()).toHaveLength(before);
    expect(events).toEqual(['1', '2']);
  });

  it('are not handed on twice after a loss, and their repeats are acknowledged', async () => {
    const { a, b, mesh, connected, events } = await scripted({ ackAfterMs: 60_000 });
    const at = await connected();
    at.event('1');
    at.event('2');
    await eventually('both', () => events.length === 2);
    mesh.target = b;
    at.terminate();
    const again = await b.next();
    await again.take('hello');
    again.event('1', { redelivered: true });
    again.event('2', { redelivered: true });
    for (let n = 3; n <= 16; n++) again.event(String(n));
    expect((await again.take('ack')).seq).toBe(16);
    expect(events).toEqual(Array.from({ length: 16 }, (_, n) => String(n + 1)));
    expect(a.connections).toHaveLength(1);
  });

  it('without ids are two when they are equal, and one when it is the same delivery, over as many breaks as come', async () => {
    const { connected, events, mesh, b } = await scripted();
    const at = await connected();
    expect((await at.take('hello')).last).toBeUndefined();
    for (let n = 0; n < 2; n++) at.event('~same');
    await eventually('both', () => events.length === 2);
    mesh.target = b;
    at.terminate();
    const second = await b.next();
    expect((await second.take('hello')).last).toEqual({ connection: at.name, seq: 2 });
    // The third was on the wire when the socket broke.
    for (const again of [1, 2, 3]) second.event('~same', { redelivered: true, again });
    second.event('~same');
    await eventually('the third and the new one', () => second.acked === 4);
    expect(events).toHaveLength(4);
    second.terminate();
    const third = await b.next();
    expect((await third.take('hello')).last).toEqual({ connection: second.name, seq: 4 });
    for (const again of [3, 4, 5]) third.event('~same', { redelivered: true, again });
    third.event('end');
    await eventually('the end', () => events.includes('end'));
    expect(events).toHaveLength(6);
  });

  it('are no repeats of what only the next socket of a move says it has, but of what has come on the old one since', async () => {
    const { connected, events, b } = await scripted({ ackAfterMs: 60_000 });
    b.defaults.welcome = false;
    const at = await connected();
    at.event('~same');
    await eventually('the first', () => events.length === 1);
    at.move(b);
    const next = await b.next();
    expect((await next.take('hello')).last).toEqual({ connection: at.name, seq: 1 });
    at.event('~same');
    at.moved();
    await eventually('the second', () => events.length === 2);
    next.welcome({ resumed: true });
    for (const again of [1, 2, 3]) next.event('~same', { redelivered: true, again });
    next.event('end');
    await eventually('the end', () => events.includes('end'));
    expect(events).toEqual(['~same', '~same', '~same', 'end']);
  });

  it('of which two have one message_id are one, and that is told', async () => {
    const { connected, events, status, types } = await scripted();
    const at = await connected();
    for (let n = 0; n < 4; n++) at.event('same');
    at.event('end');
    await eventually('the end', () => events.includes('end'));
    expect(events).toEqual(['same', 'end']);
    expect(await status('duplicate-id')).toMatchObject({ id: 'same', name: 'test', count: 1 });
    expect(types().filter((type) => type === 'duplicate-id')).toHaveLength(2);
  });

  it('are acknowledged once for many, by count', async () => {
    const { connected, events } = await scripted({ ackEvery: 4, ackAfterMs: 60_000 });
    const at = await connected();
    for (let n = 1; n <= 8; n++) at.event(String(n));
    await eventually('acks', () => at.acked === 8);
    expect(at.all('ack').map((f) => f.seq)).toEqual([4, 8]);
    expect(events).toHaveLength(8);
  });

  it('are acknowledged after a short time when they are few', async () => {
    const { connected } = await scripted({ ackAfterMs: 10 });
    const at = await connected();
    at.event('1');
    expect((await at.take('ack')).seq).toBe(1);
  });

  it('are acknowledged before a small window is used up', async () => {
    const { a, client } = await scripted({ ackEvery: 100, ackAfterMs: 60_000 });
    a.defaults = { ...a.defaults, welcome: false };
    const at = await a.next();
    await at.take('hello');
    at.welcome({ window: 4 });
    await client.ready();
    for (let n = 1; n <= 4; n++) at.event(String(n));
    await eventually('all acknowledged', () => at.acked === 4);
  });

  it('wait for the handler before them, and are acknowledged only when it has settled', async () => {
    const gate = deferred();
    const { connected, events } = await scripted({ ackEvery: 1 }, (id) =>
      id === '2' ? gate.promise : undefined,
    );
    const at = await connected();
    for (const id of ['1', '2', '3']) at.event(id);
    await eventually('the slow one', () => at.acked === 1 && events.length === 2);
    gate.resolve();
    await eventually('the rest', () => at.acked === 3);
    expect(events).toEqual(['1', '2', '3']);
  });

  it('that come again while their handler runs are acknowledged when it has settled, not before', async () => {
    const gate = deferred();
    const { connected, events, mesh, b } = await scripted({ ackEvery: 1 }, () => gate.promise);
    const at = await connected();
    at.event('1');
    await eventually('the handler', () => events.length === 1);
    mesh.target = b;
    at.terminate();
    const again = await b.next();
    await again.take('hello');
    again.event('1', { redelivered: true });
    again.send({ t: 'pong' });
    again.event('2');
    await again.edge.mesh.edge('unrelated');
    expect(again.acked).toBe(0);
    gate.resolve();
    await eventually('both', () => again.acked === 2);
    expect(events).toEqual(['1', '2']);
  });

  it('whose handler throws or rejects are reported and count as handled', async () => {
    const { connected, events, statuses } = await scripted({}, (id) => {
      if (id === '1') throw new Error('sync');
      return id === '2' ? Promise.reject(new Error('async')) : undefined;
    });
    const at = await connected();
    for (const id of ['1', '2', '3']) at.event(id);
    await eventually('acks', () => at.acked === 3);
    expect(events).toEqual(['1', '2', '3']);
    const errors = statuses.filter((s) => s.type === 'handler-error');
    expect(errors.map((s) => [s.id, String(s.error)])).toEqual([
      ['1', 'Error: sync'],
      ['2', 'Error: async'],
    ]);
  });

  it('whose handler never settles count as handled after a while, and the order goes on', async () => {
    const { connected, events, status } = await scripted({ handlerTimeoutMs: 30 }, (id) =>
      id === '1' ? new Promise(() => {}) : undefined,
    );
    const at = await connected();
    at.event('1');
    at.event('2');
    expect((await status('handler-timeout')).event.id).toBe('1');
    await eventually('acks', () => at.acked === 2);
    expect(events).toEqual(['1', '2']);
  });

  it('have a gap told between those that it lies between', async () => {
    const gate = deferred();
    const seen: string[] = [];
    const { client, connected } = await scripted({}, (id) => (id === '1' ? gate.promise : undefined));
    client.onEvent((event) => seen.push(event.id));
    client.onStatus((s) => s.type === 'gap' && seen.push(s.reason));
    const at = await connected();
    at.event('1');
    at.send({ t: 'gap', reason: 'overflow' });
    at.event('2');
    await eventually('the first', () => seen.length === 1);
    gate.resolve();
    await eventually('all', () => seen.length === 3);
    expect(seen).toEqual(['1', 'overflow', '2']);
  });

  it('are acknowledged before an orderly close', async () => {
    const { client, connected, events } = await scripted({ ackAfterMs: 60_000 });
    const at = await connected();
    at.event('1');
    await eventually('the event', () => events.length === 1);
    await client.close();
    expect(await at.closed()).toBe(1000);
    expect(at.acked).toBe(1);
  });
});
