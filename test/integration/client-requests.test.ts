import { eventually, type ScriptedConnection } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

const topics = (at: ScriptedConnection) => at.all('publish').map((f) => f.topic);

describe('requests and publishes', () => {
  it('resolve with the reply, or reject with what was answered', async () => {
    const s = await scripted();
    const a = await s.connected();
    const reply = s.client.request('sum', [1, 2]);
    const asked = await a.take('request');
    expect(asked).toMatchObject({ method: 'sum', data: [1, 2] });
    a.send({ t: 'ok', re: asked.id, data: 3 });
    expect(await reply).toBe(3);
    const failing = expect(s.client.request('sum')).rejects.toMatchObject({
      code: 'no-service',
      message: 'nobody',
      source: 'mesh',
    });
    a.send({ t: 'error', re: (await a.take('request')).id, code: 'no-service', message: 'nobody' });
    await failing;
  });

  it('are told whose an error is: a code of a service may look like one of the client', async () => {
    const s = await scripted();
    const a = await s.connected();
    const failing = expect(s.client.request('sum')).rejects.toMatchObject({
      code: 'timeout',
      source: 'service',
    });
    const { id: re } = await a.take('request');
    a.send({ t: 'error', re, code: 'timeout', message: 'too late for today', from: 'service' });
    await failing;
    await s.client.close();
    await expect(s.client.request('sum')).rejects.toMatchObject({ code: 'closed', source: 'client' });
  });

  it('made before the connection are sent, in order, when it is there', async () => {
    const s = await scripted();
    const all = [1, 2, 3].map((n) => s.client.publish(`t.${n}`, n));
    const a = await s.connected();
    await Promise.all(all);
    expect(topics(a)).toEqual(['t.1', 't.2', 't.3']);
  });

  it('made before the connection are no more at once than the edge has said that it takes', async () => {
    const s = await scripted();
    s.a.defaults.welcome = false;
    const all = Array.from({ length: 60 }, (_, n) => s.client.publish('x', n));
    const a = await s.a.next();
    await a.take('hello');
    a.welcome({ limits: { framesPerSecond: 100, burst: 20, maxTopics: 128, maxFrameBytes: 65_536 } });
    await a.take('publish');
    await eventually('the burst', () => a.received >= 10);
    expect(a.received).toBeLessThan(60);
    await Promise.all(all);
    expect(a.all('publish').map((f) => f.data)).toEqual(all.map((_, n) => n));
  });

  it('end at their timeout or by their signal', async () => {
    const s = await scripted();
    await s.connected();
    await expect(s.client.request('slow', 1, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const aborted = expect(s.client.request('slow', 1, { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    controller.abort();
    await aborted;
  });

  it('are refused when too many wait, or when they are too long for a frame', async () => {
    const s = await scripted({ maxPending: 2 });
    s.a.defaults.answer = false;
    await s.connected();
    const waiting = [s.client.publish('x', 1), s.client.publish('x', 2)].map((p) => p.catch(() => {}));
    await expect(s.client.publish('x', 3)).rejects.toMatchObject({ code: 'too-many-pending' });
    await s.client.close();
    await Promise.all(waiting);
    const t = await scripted();
    await expect(t.client.publish('x', 'é'.repeat(40_000))).rejects.toMatchObject({ code: 'too-large' });
  });

  it('without an answer are sent again after a loss, with the same ids', async () => {
    const s = await scripted();
    s.a.defaults.answer = false;
    const a = await s.connected();
    const published = s.client.publish('x', 1);
    const asked = s.client.request('m', 2);
    await a.take('request');
    s.mesh.target = s.b;
    a.terminate();
    const b = await s.b.next();
    const again = await b.take('request');
    b.send({ t: 'ok', re: again.id, data: 'done' });
    expect(await asked).toBe('done');
    await published;
    expect(b.all('publish')).toEqual(a.all('publish'));
    expect(b.all('request')).toEqual(a.all('request'));
  });

  it('that the old edge of a move took are not sent again; those it did not take are, in order', async () => {
    const s = await scripted();
    s.a.defaults.answer = s.b.defaults.answer = s.b.defaults.welcome = false;
    const a = await s.connected();
    const replies = [s.client.request('m.1'), s.client.publish('t.2', 2), s.client.publish('t.3', 3)];
    await eventually('three frames', () => a.received === 3);
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    const ids = a.frames.flatMap((f) => ('id' in f ? [f.id] : []));
    a.send({ t: 'ok', re: ids[1] ?? '' });
    a.moved(2);
    await replies[1];
    replies.push(s.client.publish('t.4', 4));
    b.welcome({ resumed: true });
    await eventually('two publishes', () => topics(b).length === 2);
    expect(topics(b)).toEqual(['t.3', 't.4']);
    expect(b.all('publish')[0]?.id).toBe(ids[2]);
    expect(b.all('request')).toHaveLength(0);
    expect(topics(a)).toEqual(['t.2', 't.3']);
    for (const id of [ids[0], ...b.all('publish').map((f) => f.id)])
      b.send({ t: 'ok', re: id ?? '', data: id });
    expect(await Promise.all(replies)).toEqual([ids[0], undefined, undefined, undefined]);
  });

  it('accepted two moves ago are still not sent again', async () => {
    const s = await scripted();
    s.b.defaults.welcome = s.c.defaults.welcome = false;
    const a = await s.connected();
    const reply = s.client.request('m.1');
    await a.take('request');
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.moved();
    b.welcome({ resumed: true });
    await s.status('moved');
    b.move(s.c);
    const c = await s.c.next();
    await c.take('hello');
    b.moved();
    c.welcome({ resumed: true });
    await eventually('the second move', () => s.client.node === 'c');
    expect(b.all('request')).toHaveLength(0);
    expect(c.all('request')).toHaveLength(0);
    c.send({ t: 'ok', re: a.all('request')[0]?.id ?? '', data: 1 });
    expect(await reply).toBe(1);
  });

  it('are settled by the `moved` of the old edge even when the welcome of the new one overtakes it', async () => {
    const s = await scripted();
    s.a.defaults.answer = s.b.defaults.answer = s.b.defaults.welcome = false;
    const a = await s.connected();
    const replies = [s.client.request('m.1'), s.client.publish('t.2', 2)];
    await eventually('both', () => a.received === 2);
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    b.welcome({ resumed: true });
    await s.status('moved');
    replies.push(s.client.publish('t.3', 3));
    b.event('1');
    await eventually('an event of the new edge', () => s.events.length === 1);
    expect(b.received).toBe(0);
    a.moved(1);
    expect(await a.closed()).toBe(1000);
    await eventually('two publishes', () => b.all('publish').length === 2);
    expect(topics(b)).toEqual(['t.2', 't.3']);
    for (const f of [...a.all('request'), ...b.all('publish')]) b.send({ t: 'ok', re: f.id });
    await Promise.all(replies);
    expect(b.all('request')).toHaveLength(0);
  });

  it('in flight when the old edge of a move dies are sent again on the new one', async () => {
    const s = await scripted();
    s.a.defaults.answer = s.b.defaults.welcome = false;
    const a = await s.connected();
    const published = s.client.publish('x', 1);
    await a.take('publish');
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.terminate();
    b.welcome({ resumed: true });
    await published;
    expect(b.all('publish')).toEqual(a.all('publish'));
    expect(s.types()).not.toContain('disconnected');
  });

  it('that the old edge of a move took go again where the new one dies: it may have answered behind its lost welcome', async () => {
    const s = await scripted();
    s.b.defaults.welcome = false;
    const a = await s.connected();
    const reply = s.client.request('m');
    const asked = await a.take('request');
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    a.moved();
    s.mesh.target = s.c;
    b.terminate();
    const c = await s.c.next();
    expect(await c.take('request')).toEqual(asked);
    c.send({ t: 'ok', re: asked.id, data: 1 });
    expect(await reply).toBe(1);
  });

  it('of two instances of one session never share an id', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) {
      const s = await scripted({ session: 'same' });
      const a = await s.connected();
      await s.client.publish('x', 1);
      ids.push((await a.take('publish')).id);
    }
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('are all answered before a drained client closes', async () => {
    const s = await scripted();
    s.a.defaults.answer = false;
    const a = await s.connected();
    const published = s.client.publish('x', 1);
    const drained = s.client.drain();
    const { id } = await a.take('publish');
    expect(s.client.state).toBe('connected');
    a.send({ t: 'ok', re: id });
    await published;
    await drained;
    expect(await a.closed()).toBe(1000);
  });
});
