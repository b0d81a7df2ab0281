import { eventually } from '@evenkeel/testkit';
import { expect, it } from 'vitest';
import { scripted, subscribed } from '../support/scripted-edge-client.js';

it('a client says after each loss up to which position it has a topic with history', async () => {
  const s = await subscribed();
  s.at.send({ t: 'message', topic: 'news', id: '1', data: 1, at: 1, position: '7-abcdefghij' });
  await eventually('the message', () => s.got.length === 1);
  s.mesh.target = s.b;
  s.at.terminate();
  const b = await s.b.next();
  expect((await b.take('hello')).topics).toEqual([{ topic: 'news', since: '7-abcdefghij' }]);
  b.welcome({ resumed: true });
  b.send({ t: 'message', topic: 'news', id: '2', data: 2, at: 2, position: '9-abcdefghij', past: true });
  await eventually('the next', () => s.got.length === 2);
  b.terminate();
  const again = await s.b.next();
  expect((await again.take('hello')).topics).toEqual([{ topic: 'news', since: '9-abcdefghij' }]);
});

it('what is asked of the past before there is a connection is said once, by hello, and later by subscribe again', async () => {
  const s = await scripted();
  s.client.topic('news', { last: 3 }).on('message', () => {});
  s.client.topic('plain').on('message', () => {});
  const at = await s.a.next();
  expect((await at.take('hello')).topics).toEqual([{ topic: 'news', last: 3 }, 'plain']);
  const { id, ...waited } = await at.take('subscribe');
  expect(waited).toEqual({ t: 'subscribe', topic: 'news' });
  expect(await at.take('subscribe')).toMatchObject({ topic: 'plain' });
  const later = await s.client.subscribe('later', () => {}, { last: 2 });
  expect(await at.take('subscribe')).toMatchObject({ topic: 'later', last: 2 });
  await later.unsubscribe();
  await s.client.subscribe('later', () => {}, { last: 1 });
  expect(await at.take('subscribe')).toMatchObject({ topic: 'later', last: 1 });
});

it('a topic that is left and joined again without a connection begins anew', async () => {
  const s = await subscribed();
  s.at.message('news', '1', { position: '7-abcdefghij' });
  await eventually('the message', () => s.got.length === 1);
  s.mesh.target = undefined;
  s.at.terminate();
  await s.status('disconnected');
  await s.subscription.unsubscribe();
  const again = s.client.subscribe('news', () => {}, { last: 3 });
  s.mesh.target = s.b;
  const b = await s.b.next();
  expect((await b.take('hello')).topics).toEqual([{ topic: 'news', last: 3 }]);
  await again;
});
