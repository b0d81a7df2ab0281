import { connect } from '@evenkeel/client';
import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { scripted, subscribed } from '../support/scripted-edge-client.js';

describe('subscribers of topics', () => {
  it('are subscribed and unsubscribed at the edge, with the last handler', async () => {
    const s = await subscribed();
    expect(await s.at.take('subscribe')).toMatchObject({ topic: 'news' });
    const second: string[] = [];
    const other = await s.client.subscribe('news', (m) => second.push(m.id));
    s.at.message('news', '1');
    s.at.message('olds', '2');
    await eventually('the message', () => second.length === 1);
    await other.unsubscribe();
    expect(s.at.all('unsubscribe')).toHaveLength(0);
    await s.subscription.unsubscribe();
    expect(await s.at.take('unsubscribe')).toMatchObject({ topic: 'news' });
    expect(s.got).toEqual(['1']);
  });

  it('have a subscriber for each call, also of one function, and one ends no other', async () => {
    const s = await scripted();
    const at = await s.connected();
    const got: string[] = [];
    const handler = ({ id }: { id: string }) => got.push(id);
    // As a component that is mounted, unmounted and mounted again at once.
    const first = s.client.subscribe('news', handler);
    void first.then((subscription) => subscription.unsubscribe());
    await s.client.subscribe('news', handler);
    const third = await s.client.subscribe('news', handler);
    at.message('news', '1');
    await eventually('both', () => got.length === 2);
    await Promise.all([third.unsubscribe(), third.unsubscribe(), (await first).unsubscribe()]);
    at.message('news', '2');
    await eventually('the one that is left', () => got.length === 3);
    await s.client.publish('x', 1);
    expect(got).toEqual(['1', '1', '2']);
    expect(at.all('subscribe')).toHaveLength(1);
    expect(at.all('unsubscribe')).toHaveLength(0);
  });

  it('of 600 subscribers are asked for once', async () => {
    const s = await scripted({ maxPending: 10 });
    const at = await s.connected();
    await Promise.all(Array.from({ length: 600 }, () => s.client.subscribe('news', () => {})));
    expect(at.all('subscribe')).toHaveLength(1);
  });

  it('of the options are a subscriber of their own: no other ends it', async () => {
    const s = await scripted({ topics: ['news'] });
    const at = await s.connected();
    const got: string[] = [];
    s.client.onMessage(({ id }) => got.push(id));
    const widget = await s.client.subscribe('news', () => {});
    await widget.unsubscribe();
    at.message('news', '1');
    await eventually('the message', () => got.length === 1);
    expect(at.all('unsubscribe')).toHaveLength(0);
  });

  it('whose subscriber leaves while another hears of a message reach it no more', async () => {
    const s = await scripted();
    const at = await s.connected();
    const got: string[] = [];
    let leave = (): Promise<void> => Promise.resolve();
    await s.client.subscribe('news', () => void leave());
    const second = await s.client.subscribe('news', () => got.push('second'));
    leave = () => second.unsubscribe();
    await s.client.subscribe('news', () => got.push('third'));
    at.message('news', '1');
    await eventually('the third', () => got.includes('third'));
    expect(got).toEqual(['third']);
  });

  it('are unsubscribed at once where there is no connection, and then not asked for again', async () => {
    const s = await subscribed();
    s.a.defaults.welcome = false;
    s.at.terminate();
    await s.status('disconnected');
    await s.subscription.unsubscribe();
    const again = await s.a.next();
    expect((await again.take('hello')).topics).toEqual([]);
  });

  it('that are unsubscribed just before a close, or before the connection is lost, leave no rejection behind', async () => {
    const s = await subscribed();
    const other = await s.client.subscribe('olds', () => {});
    s.a.defaults.answer = false;
    const unanswered = other.unsubscribe();
    await s.at.take('unsubscribe');
    s.mesh.target = s.b;
    s.at.terminate();
    await unanswered;
    const b = await s.b.next();
    expect((await b.take('hello')).topics).toEqual(['news']);
    await s.client.ready();
    s.b.defaults.answer = false;
    const atTheEnd = s.subscription.unsubscribe();
    await s.client.close();
    await atTheEnd;
    await s.subscription.unsubscribe();
  });

  it('with a wait that cannot be are refused, and leave no rejection behind', async () => {
    const s = await subscribed();
    await expect(s.client.subscribe('olds', () => {}, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'bad-option',
    });
    await s.client.subscribe('olds', () => {});
  });

  it('that nobody waits for any more are asked for no more; others who wait for the same go on waiting', async () => {
    const s = await scripted();
    s.a.defaults.answer = false;
    const at = await s.connected();
    const giveUp = new AbortController();
    const aborted = s.client.subscribe('news', () => {}, { signal: giveUp.signal });
    const kept = s.client.subscribe('news', () => {});
    const late = s.client.subscribe('olds', () => {}, { timeoutMs: 20 });
    giveUp.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
    expect(await at.take('unsubscribe')).toMatchObject({ topic: 'olds' });
    at.send({ t: 'ok', re: (await at.take('subscribe')).id });
    expect(await kept).toMatchObject({ topic: 'news' });
  });

  it('that an edge refuses are not subscribed again', async () => {
    const s = await scripted();
    s.a.defaults.answer = false;
    const a = await s.connected();
    const refused = expect(s.client.subscribe('news', () => {})).rejects.toMatchObject({
      code: 'topic-limit',
    });
    a.send({ t: 'error', re: (await a.take('subscribe')).id, code: 'topic-limit', message: 'too many' });
    await refused;
    a.terminate();
    expect((await (await s.a.next()).take('hello')).topics).toEqual([]);
  });

  it('with impossible names are refused at the call, and the client lives on', async () => {
    const s = await scripted();
    await s.connected();
    for (const name of ['a*', '', ['a'], undefined, 42, { toString: () => 'a' }] as string[]) {
      await expect(s.client.subscribe(name, () => {})).rejects.toMatchObject({ code: 'bad-name' });
      await expect(s.client.publish(name, 1)).rejects.toMatchObject({ code: 'bad-name' });
      await expect(s.client.request(name)).rejects.toMatchObject({ code: 'bad-name' });
      expect(() => connect({ topics: ['fine', name] })).toThrow(
        expect.objectContaining({ code: 'bad-name' }),
      );
    }
    expect(s.client.state).toBe('connected');
  });
});
