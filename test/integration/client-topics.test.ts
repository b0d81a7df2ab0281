import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { scripted, subscribed } from '../support/scripted-edge-client.js';

describe('topics', () => {
  it('are in the hello after a loss, and a gap of theirs is told', async () => {
    const s = await subscribed();
    s.mesh.target = s.b;
    s.at.terminate();
    const b = await s.b.next();
    expect((await b.take('hello')).topics).toEqual(['news']);
    b.send({ t: 'gap', topic: 'news', reason: 'connection-lost' });
    b.message('news', '1');
    expect(await s.status('gap')).toMatchObject({ topic: 'news', reason: 'connection-lost' });
    await eventually('the message', () => s.got.length === 1);
  });

  it('are merged from both sockets of a move: those of the old one first, then the unseen of the new', async () => {
    const s = await subscribed();
    s.at.message('news', '1');
    const b = await s.move();
    b.message('news', '1');
    b.message('news', '2');
    b.message('news', '3');
    s.at.message('news', '2');
    await eventually('the old one', () => s.got.length === 2);
    expect(s.got).toEqual(['1', '2']);
    s.at.moved();
    await eventually('the kept one', () => s.got.length === 3);
    b.message('news', '4');
    b.welcome({ resumed: true });
    b.message('news', '5');
    await eventually('all', () => s.got.length === 5);
    expect(s.got).toEqual(['1', '2', '3', '4', '5']);
    expect(s.types()).not.toContain('gap');
  });

  it('show no repeat when the new edge lags behind the old one', async () => {
    const s = await subscribed();
    const b = await s.move();
    for (const id of ['1', '2', '3']) s.at.message('news', id);
    s.at.moved();
    b.welcome({ resumed: true });
    await s.status('moved');
    for (const id of ['1', '2', '3', '4']) b.message('news', id);
    await eventually('all', () => s.got.length >= 4);
    expect(s.got).toEqual(['1', '2', '3', '4']);
  });

  it('have no gap when the welcome of the new edge overtakes the end of the old one', async () => {
    const s = await subscribed();
    const b = await s.move();
    b.welcome({ resumed: true });
    await s.status('moved');
    b.message('news', '2');
    s.at.message('news', '1');
    s.at.moved();
    await eventually('both', () => s.got.length === 2);
    expect(s.got).toEqual(['1', '2']);
    expect(s.types()).not.toContain('gap');
  });

  it('have no gap when the end of the old socket is read seconds after the welcome of the new one', async () => {
    const s = await subscribed();
    const b = await s.move();
    b.welcome({ resumed: true });
    b.message('news', '2');
    // It waits for the old socket a while, and then goes to the new one.
    await s.client.publish('x', 1);
    s.at.message('news', '1');
    s.at.moved();
    await eventually('both', () => s.got.length === 2);
    expect(s.got).toEqual(['1', '2']);
    expect(s.types()).not.toContain('gap');
  });

  it('have no gap when the next move is asked for before the old socket of the last one has ended', async () => {
    const s = await subscribed();
    const b = await s.move();
    b.welcome({ resumed: true });
    await s.status('moved');
    b.message('news', '2');
    s.c.defaults.welcome = false;
    b.move(s.c);
    await eventually('the second move', () => s.types().filter((t) => t === 'moving').length === 2);
    expect(s.c.connections).toHaveLength(0);
    s.at.message('news', '1');
    s.at.moved();
    const c = await s.c.next();
    await c.take('hello');
    c.message('news', '3');
    b.moved();
    c.welcome({ resumed: true });
    await eventually('all', () => s.got.length === 3);
    expect(s.got).toEqual(['1', '2', '3']);
    expect(s.types()).not.toContain('gap');
  });

  it('of which the old socket of a move tells a gap and goes on are not followed by what lies in it', async () => {
    const s = await subscribed();
    s.at.message('news', '1');
    const b = await s.move();
    for (const id of ['2', '3', '4', '5']) b.message('news', id);
    s.at.send({ t: 'gap', topic: 'news', reason: 'broker-lost' });
    s.at.message('news', '4');
    await eventually('what follows the gap', () => s.got.length === 2);
    s.at.moved();
    b.message('news', '6');
    await eventually('the rest', () => s.got.includes('6'));
    expect(s.got).toEqual(['1', '4', '5', '6']);
  });

  it("go on from the new socket when the old one stays silent after the new one's welcome", async () => {
    const s = await subscribed();
    const b = await s.move();
    s.at.freeze();
    b.message('news', '1');
    b.welcome({ resumed: true });
    // As long as an edge keeps the old socket.
    await eventually('the kept one', () => s.got.length === 1, 20_000);
    expect(await s.status('gap')).toMatchObject({ topic: 'news', reason: 'connection-lost' });
  });

  it('without ids all arrive, however often their contents recur, over three moves and two cuts', async () => {
    const s = await subscribed();
    let n = 0;
    const publish = (...at: { message(topic: string, id: string, fields: object): void }[]) => {
      const id = n % 2 ? '~on' : '~off';
      for (const each of at) each.message('news', id, { data: n });
      n += 1;
    };
    const data: unknown[] = [];
    s.client.onMessage((message) => data.push(message.data));
    let at = s.at;
    for (const [turn, target] of [s.b, s.c, s.b].entries()) {
      for (let i = 0; i < 4; i++) publish(at);
      target.defaults.welcome = false;
      at.move(target);
      const next = await target.next();
      await next.take('hello');
      for (let i = 0; i < 3; i++) publish(at, next);
      next.mark(`${turn}`);
      // Behind the mark the old edge sends no more.
      for (let i = 0; i < 3; i++) publish(next);
      at.moved(undefined, `${turn}`);
      next.welcome({ resumed: true });
      publish(next);
      await eventually('all of them', () => data.length === n);
      at = next;
      if (turn === 2) break;
      s.mesh.target = target;
      at.terminate();
      const again = await target.next();
      await again.take('hello');
      again.send({ t: 'gap', topic: 'news', reason: 'connection-lost' });
      again.welcome({ resumed: true });
      at = again;
      publish(at);
      await eventually('what follows the cut', () => data.length === n);
    }
    for (let i = 0; i < 4; i++) publish(at);
    await eventually('the last ones', () => data.length === n);
    expect(data).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(s.statuses.filter(({ type }) => type === 'gap')).toHaveLength(2);
  });

  it('wait for the mark of a new edge that lags behind, and know then what of it is new', async () => {
    const s = await subscribed();
    const b = await s.move();
    const data: unknown[] = [];
    s.client.onMessage((message) => data.push(message.data));
    for (let n = 0; n < 4; n++) s.at.message('news', '~on', { data: n });
    s.at.moved(undefined, 'm');
    b.welcome({ resumed: true });
    await s.status('moved');
    for (const n of [2, 3]) b.message('news', '~on', { data: n });
    b.mark('another');
    b.mark('m');
    for (const n of [4, 5, 6]) b.message('news', '~on', { data: n });
    await eventually('all', () => data.length >= 7);
    expect(data).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(s.types()).not.toContain('gap');
  });

  it('that came before a welcome which never did are followed by a gap: the next edge knows of no state to tell one for', async () => {
    const s = await scripted({ topics: ['news'] });
    const got: string[] = [];
    s.client.onMessage(({ id }) => got.push(id));
    s.a.defaults.welcome = false;
    const a = await s.a.next();
    await a.take('hello');
    a.message('news', '1');
    await eventually('the first', () => got.length === 1);
    a.close(4006);
    const again = await s.a.next();
    expect(await again.take('hello')).toMatchObject({ resume: false });
    again.message('news', '3');
    again.welcome();
    await eventually('the next', () => got.length === 2);
    expect(s.statuses.filter(({ type }) => type === 'gap')).toMatchObject([{ topic: 'news' }]);
    expect(s.types().indexOf('gap')).toBeLessThan(s.types().indexOf('connected'));
  });

  it('keep equal derived ids apart: as many are dropped as the old socket has shown', async () => {
    const s = await subscribed();
    const b = await s.move();
    s.at.message('news', '~x');
    b.message('news', '~x');
    b.message('news', '~x');
    s.at.moved();
    await eventually('both', () => s.got.length === 2);
    expect(s.got).toEqual(['~x', '~x']);
  });

  it('go on without a gap when the old edge dies in a move and the new one repeats its end', async () => {
    const s = await subscribed();
    const b = await s.move();
    s.at.message('news', '1');
    await eventually('the first', () => s.got.length === 1);
    b.message('news', '1');
    b.message('news', '2');
    b.send({ t: 'pong' });
    await b.edge.mesh.edge('unrelated');
    s.at.terminate();
    b.welcome({ resumed: true });
    await s.status('moved');
    await eventually('the second', () => s.got.length === 2);
    expect(s.got).toEqual(['1', '2']);
    expect(s.types()).not.toContain('gap');
  });

  it('have a gap told when the old edge dies in a move, once the new one has them, and nothing proves that there is none', async () => {
    const s = await subscribed();
    const b = await s.move();
    s.at.terminate();
    b.message('news', '2');
    b.send({ t: 'pong' });
    await b.edge.mesh.edge('unrelated');
    // What is published now may be missing as well: the new edge has not said that it has the topic.
    expect(s.types()).not.toContain('gap');
    expect(s.got).toEqual([]);
    b.welcome({ resumed: true });
    expect(await s.status('gap')).toMatchObject({ topic: 'news', reason: 'connection-lost' });
    await eventually('what the new edge has sent', () => s.got.length === 1);
    expect(s.types().filter((type) => type === 'gap')).toEqual(['gap']);
  });

  it('go on from the old socket when the new one fails, without a repeat', async () => {
    const s = await subscribed();
    const b = await s.move();
    b.message('news', '1');
    b.close(4009);
    await s.status('move-failed');
    s.at.message('news', '1');
    s.at.message('news', '2');
    await eventually('both', () => s.got.length === 2);
    expect(s.got).toEqual(['1', '2']);
  });

  it('subscribed while the new socket takes over are subscribed there, once, and then confirmed', async () => {
    const s = await subscribed();
    const b = await s.move();
    const got: string[] = [];
    const asked = s.client.subscribe('late', (m) => got.push(m.id));
    s.at.moved();
    b.welcome({ resumed: true });
    expect(await b.take('subscribe')).toMatchObject({ topic: 'late' });
    await asked;
    b.message('late', '1');
    await eventually('the message', () => got.length === 1);
    expect(s.at.all('subscribe').map((f) => f.topic)).toEqual(['news']);
  });

  it('report a handler that fails and go on', async () => {
    const s = await scripted({ topics: ['news'] });
    const a = await s.connected();
    let n = 0;
    s.client.onMessage(() => {
      n++;
      throw new Error('mine');
    });
    a.message('news', '1');
    a.message('news', '2');
    await eventually('both', () => n === 2);
    expect(await s.status('handler-error')).toMatchObject({ id: '1', name: 'news' });
  });
});
