import { connect, type TopicGap, type TopicLeft } from '@evenkeel/client';
import { connect as connectOfBundle } from '@evenkeel/client/browser/full';
import { eventually } from '@evenkeel/testkit';
import { describe, expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

describe.each([
  ['package', connect],
  ['bundle', connectOfBundle],
])('a topic of the client of the %s', (_, connectWith) => {
  const begin = async () => {
    const s = await scripted({}, undefined, connectWith);
    const at = await s.connected();
    return { ...s, at };
  };

  it('is subscribed with its first handler, and no more with its last', async () => {
    const { client, at } = await begin();
    const room = client.topic('room.42');
    await room.publish({ text: 'hi' });
    expect(at.all('subscribe')).toHaveLength(0);
    const got: string[] = [];
    const off = room.on('message', ({ id }) => got.push(`first ${id}`));
    room.on('message', ({ id }) => got.push(`second ${id}`));
    await room.ready();
    expect(at.all('subscribe')).toMatchObject([{ topic: 'room.42' }]);
    at.message('room.42', '1');
    await eventually('both', () => got.length === 2);
    off();
    at.message('room.42', '2');
    await eventually('the one that is left', () => got.length === 3);
    await room.close();
    expect(got).toEqual(['first 1', 'second 1', 'second 2']);
    expect(at.all('unsubscribe')).toMatchObject([{ topic: 'room.42' }]);
  });

  it('tells its own gaps, and why it has ended, once', async () => {
    const { client, at } = await begin();
    const room = client.topic('room.42');
    const told: (TopicGap | TopicLeft)[] = [];
    room.on('message', () => {});
    room.on('gap', (gap) => told.push(gap));
    room.on('left', (left) => told.push(left));
    await room.ready();
    at.send({ t: 'gap', topic: 'room.43', reason: 'slow-consumer' });
    at.send({ t: 'gap', topic: 'room.42', reason: 'slow-consumer' });
    at.send({ t: 'unsubscribed', topic: 'room.42', reason: 'revoked' });
    await eventually('its end', () => told.length === 2);
    await client.close();
    expect(told).toEqual([
      { topic: 'room.42', reason: 'slow-consumer' },
      { topic: 'room.42', reason: 'revoked' },
    ]);
  });

  it('that is refused is left with the code of the refusal', async () => {
    const { client, at, a } = await begin();
    a.defaults.answer = false;
    const room = client.topic('room.42');
    const left = new Promise<TopicLeft>((resolve) => room.on('left', resolve));
    room.on('message', () => {});
    const { id } = await at.take('subscribe');
    at.send({ t: 'error', re: id, code: 'forbidden', message: 'no' });
    expect(await left).toMatchObject({ topic: 'room.42', reason: 'forbidden', error: { code: 'forbidden' } });
  });

  it('says what is wanted of it in subscribe, and after a loss in hello', async () => {
    const { client, at, a } = await begin();
    const room = client.topic('room.42', { presence: true, echo: false });
    room.on('message', () => {});
    await room.ready();
    expect(await at.take('subscribe')).toMatchObject({ topic: 'room.42', presence: true, echo: false });
    at.terminate();
    const again = await a.next();
    expect((await again.take('hello')).topics).toEqual([{ topic: 'room.42', presence: true, echo: false }]);
  });

  it('hears nothing once it is closed, also of what comes before the edge has answered', async () => {
    const { client, a } = await scripted({}, undefined, connectWith);
    a.defaults.answer = false;
    const got: string[] = [];
    const gone = client.topic('room.42', { last: 20 });
    gone.on('message', ({ id }) => got.push(`closed ${id}`));
    const closed = gone.close();
    client.topic('room.42').on('message', ({ id }) => got.push(`open ${id}`));
    const at = await a.next();
    const { id } = await at.take('subscribe');
    // What `hello` wants comes as soon as it can.
    at.send({
      t: 'message',
      topic: 'room.42',
      id: '1',
      data: 1,
      at: 1,
      position: '7-abcdefghij',
      past: true,
    });
    at.send({ t: 'ok', re: id });
    await closed;
    at.message('room.42', '2');
    await eventually('the second', () => got.length >= 2);
    expect(got).toEqual(['open 1', 'open 2']);
  });
});
