import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { deferred, scripted } from '../support/scripted-edge-client.js';

describe('a move', () => {
  it('opens the second socket while the first delivers, and closes the first when the second has it', async () => {
    const s = await scripted({ ackAfterMs: 60_000 });
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.event('1');
    a.move(s.b);
    const b = await s.b.next();
    expect(await b.take('hello')).toMatchObject({ resume: true });
    a.event('2');
    await eventually('delivery by a', () => s.events.length === 2);
    expect(s.types()).toContain('moving');
    a.moved();
    expect((await a.take('ack')).seq).toBe(2);
    expect(a.closedWith).toBeUndefined();
    b.welcome({ resumed: true });
    b.event('3');
    expect(await a.closed()).toBe(1000);
    await eventually('delivery by b', () => s.events.length === 3);
    expect(s.events).toEqual(['1', '2', '3']);
    expect(await s.status('moved')).toMatchObject({ node: 'b', from: 'a' });
    expect(s.client.node).toBe('b');
    expect(s.types()).not.toContain('disconnected');
    expect(s.mesh.lookups).toHaveLength(1);
  });

  it('ten times over emits no disconnected, and loses, repeats and reorders nothing', async () => {
    const s = await scripted();
    let at = await s.connected();
    let n = 0;
    for (let turn = 0; turn < 10; turn++) {
      const target = turn % 2 === 0 ? s.b : s.a;
      target.defaults.welcome = false;
      at.event(String(n++));
      at.move(target);
      const next = await target.next();
      await next.take('hello');
      at.event(String(n++));
      at.moved();
      await eventually('the last ack', () => at.acked === at.seq);
      next.welcome({ resumed: true });
      next.event(String(n++));
      at = next;
    }
    await eventually('all', () => s.events.length === n);
    expect(s.events).toEqual(Array.from({ length: n }, (_, i) => String(i)));
    expect(s.types().filter((t) => t === 'moved')).toHaveLength(10);
    expect(s.types()).not.toContain('disconnected');
  });

  it('hands on all events of the old socket before those of the new one, however slow the handlers', async () => {
    const gate = deferred();
    const s = await scripted({}, (id) => (id === '1' ? gate.promise : undefined));
    s.b.defaults.welcome = false;
    const a = await s.connected();
    for (const id of ['1', '2', '3']) a.event(id);
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.moved();
    // The old edge gave back what was not acknowledged in time.
    b.welcome({ resumed: true });
    for (const id of ['1', '2', '3']) b.event(id, { redelivered: true });
    b.event('4');
    await s.status('moved');
    expect(s.events).toEqual(['1']);
    expect(b.acked).toBe(0);
    gate.resolve();
    await eventually('all', () => b.acked === 4);
    expect(s.events).toEqual(['1', '2', '3', '4']);
  });

  it('acknowledges on the old socket as soon as its last handler is done, not batched', async () => {
    const gate = deferred();
    const s = await scripted({ ackAfterMs: 60_000, ackEvery: 100 }, (id) =>
      id === '2' ? gate.promise : undefined,
    );
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.event('1');
    a.event('2');
    a.move(s.b);
    await (await s.b.next()).take('hello');
    a.moved();
    await eventually('the handler', () => s.events.length === 2);
    expect(a.acked).toBe(0);
    gate.resolve();
    expect((await a.take('ack')).seq).toBe(2);
  });

  it('that the new edge refuses leaves the client where it is', async () => {
    const s = await scripted();
    s.b.refuseWith = 503;
    const a = await s.connected();
    a.move(s.b);
    await s.status('move-failed');
    a.event('1');
    await eventually('delivery goes on', () => a.acked === 1);
    expect(s.types()).not.toContain('disconnected');
    expect(s.client.node).toBe('a');
  });

  it('whose new edge closes before welcome leaves the client where it is', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    b.close(4009, 'takeover-failed');
    expect(await s.status('move-failed')).toMatchObject({ reason: 'takeover-failed' });
    a.event('1');
    await eventually('delivery goes on', () => a.acked === 1);
    expect(s.types()).not.toContain('disconnected');
  });

  it('whose new edge is silent ends at the deadline, and a later one succeeds', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.move(s.b, { deadlineMs: 60 });
    expect(await s.status('move-failed')).toMatchObject({ reason: 'deadline passed' });
    a.move(s.c);
    await s.c.next();
    await s.status('moved');
    expect(s.client.node).toBe('c');
    expect(s.types()).not.toContain('disconnected');
  });

  it('whose new edge dies after the old one let go resumes at once, naming both', async () => {
    const s = await scripted({ backoff: { minMs: 60_000, maxMs: 60_000 }, random: () => 0.9 });
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.event('1');
    a.move(s.b, { node: 'b', jitterMs: 0 } as object);
    const b = await s.b.next();
    await b.take('hello');
    a.moved();
    await a.take('ack');
    s.mesh.target = s.c;
    b.terminate();
    const c = await s.c.next();
    expect(await c.take('hello')).toMatchObject({ resume: true });
    expect(s.mesh.lookups[1]?.query.get('from')).toBe('b,a');
    expect(await a.closed()).toBe(1000);
    c.event('2');
    await eventually('the next event', () => s.events.length === 2);
    expect(s.types().filter((t) => t === 'disconnected')).toHaveLength(1);
  });

  it('goes on to the new edge when the old one dies, without a disconnected', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.event('1');
    a.event('2');
    await eventually('both', () => s.events.length === 2);
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.terminate();
    b.welcome({ resumed: true });
    b.event('2', { redelivered: true });
    b.event('3');
    await eventually('the next', () => b.acked === 2);
    expect(s.events).toEqual(['1', '2', '3']);
    expect(s.types()).not.toContain('disconnected');
    expect(s.mesh.lookups).toHaveLength(1);
  });

  it('is dialled at once when the old edge dies before the jitter has passed', async () => {
    const s = await scripted({ random: () => 0.9 });
    const a = await s.connected();
    a.move(s.b, { deadlineMs: 60_000, jitterMs: 60_000 });
    await s.status('moving');
    a.terminate();
    await s.b.next();
    await s.status('moved');
    expect(s.types()).not.toContain('disconnected');
  });

  it('goes on to the new edge when the old one is frozen', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.freeze();
    b.welcome({ resumed: true });
    b.event('1');
    await eventually('delivery by b', () => b.acked === 1);
    expect(s.types()).not.toContain('disconnected');
  });

  it('whose edges both die is a loss, told once', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.event('1');
    await eventually('the event', () => s.events.length === 1);
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    s.mesh.target = s.c;
    a.terminate();
    b.terminate();
    const c = await s.c.next();
    await c.take('hello');
    c.event('1', { redelivered: true });
    c.event('2');
    await eventually('the next', () => c.acked === 2);
    expect(s.events).toEqual(['1', '2']);
    expect(s.types().filter((t) => t === 'disconnected')).toHaveLength(1);
  });

  it('that is asked for again goes to the newest target', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.move(s.c);
    await s.c.next();
    expect(await b.closed()).toBe(1000);
    expect(await s.status('moved')).toMatchObject({ node: 'c' });
    expect(s.types()).not.toContain('move-failed');
  });

  it('that the front brings back stays with the first socket, and dials again with each new ticket; beforeMove is asked once', async () => {
    const asked: string[] = [];
    const s = await scripted({ beforeMove: ({ move }) => void asked.push(move) });
    s.b.defaults.welcome = false;
    const a = await s.connected();
    for (let n = 1; n <= 3; n++) {
      a.move(s.b, { move: 'm1' });
      const back = await s.b.next();
      await back.take('hello');
      back.close(4010, 'ws://mesh/ws');
      await eventually('the try has failed', () => s.types().filter((t) => t === 'move-failed').length === n);
      a.event(String(n));
      await eventually('its ack', () => a.acked === n);
    }
    a.move(s.b, { move: 'm1' });
    const b = await s.b.next();
    await b.take('hello');
    a.moved();
    b.welcome({ resumed: true });
    b.event('4');
    await eventually('all', () => s.events.length === 4);
    expect(s.events).toEqual(['1', '2', '3', '4']);
    expect(asked).toEqual(['m1']);
    expect(s.types()).not.toContain('disconnected');
  });

  it('waits a random part of jitterMs', async () => {
    const s = await scripted({ random: () => 0.5 });
    const a = await s.connected();
    const begun = Date.now();
    a.move(s.b, { jitterMs: 200 });
    await s.b.next();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(99);
  });

  it('waits for beforeMove', async () => {
    const gate = deferred();
    const s = await scripted({ beforeMove: () => gate.promise });
    const a = await s.connected();
    a.move(s.b);
    await s.status('moving');
    a.event('1');
    await eventually('delivery goes on', () => a.acked === 1);
    expect(s.b.connections).toHaveLength(0);
    gate.resolve();
    await s.status('moved');
  });

  it('waits for beforeMove not beyond the deadline, nor minds its faults', async () => {
    const forever = await scripted({ beforeMove: () => new Promise(() => {}) });
    (await forever.connected()).move(forever.b, { deadlineMs: 400 });
    await forever.status('moved');
    const faulty = await scripted({ beforeMove: () => Promise.reject(new Error('no')) });
    (await faulty.connected()).move(faulty.b);
    await faulty.status('moved');
  });

  it('to an address that cannot be dialled leaves the client where it is', async () => {
    const s = await scripted();
    const a = await s.connected();
    a.move(s.b, { url: 'not an address' });
    await s.status('move-failed');
    a.event('1');
    await eventually('delivery goes on', () => a.acked === 1);
  });

  it('that the client took no part in sends it to the gateway at once', async () => {
    const s = await scripted({ backoff: { minMs: 60_000, maxMs: 60_000 } });
    const a = await s.connected();
    s.mesh.target = s.b;
    a.moved();
    await (await s.b.next()).take('hello');
    expect(await a.closed()).toBe(1000);
  });
});
