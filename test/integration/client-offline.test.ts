import { eventually } from '@evenkeel/testkit';
import { expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

it('what is published while there is no connection waits in order up to a bound, and is sent once when there is one', async () => {
  const s = await scripted({ offline: { max: 2 } });
  const at = await s.connected();
  await s.client.publish('room.1', 0);
  const sent: Promise<void>[] = [];
  s.client.onStatus(({ type }) => {
    if (type !== 'disconnected') return;
    sent.push(s.client.publish('room.1', 1), s.client.topic('room.1').publish(2));
    sent.push(expect(s.client.publish('room.1', 3)).rejects.toMatchObject({ code: 'offline-full' }));
  });
  at.terminate();
  const again = await s.a.next();
  await eventually('three', () => sent.length === 3);
  await Promise.all(sent);
  expect(again.all('publish').map(({ data }) => data)).toEqual([1, 2]);
  await s.client.publish('room.1', 4);
});

it('a bound that cannot be kept is refused', async () => {
  for (const max of [0, 1.5, 1_001])
    await expect(scripted({ offline: { max } })).rejects.toMatchObject({ code: 'bad-option' });
});
