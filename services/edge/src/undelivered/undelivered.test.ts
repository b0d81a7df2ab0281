import { BrokerError, type PublishProperties } from '@evenkeel/broker';
import { expect, it } from 'vitest';
import { Undelivered } from './undelivered.js';

type Published = { exchange: string; key: string; properties: PublishProperties };

function world(failures: unknown[] = []) {
  const published: Published[] = [];
  const warnings: string[] = [];
  const undelivered = new Undelivered({
    publisher: {
      async publish(exchange, key, _body, properties = {}) {
        published.push({ exchange, key, properties });
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        return 'routed';
      },
    },
    log: { warn: (_fields: unknown, message?: string) => void warnings.push(message ?? '') },
  });
  return { published, warnings, undelivered };
}
const event = {
  key: 'user.alice.x',
  body: Buffer.from('1'),
  properties: { messageId: 'm', appId: 'odd', headers: { odd: {} } },
};
const alice = { uid: 'alice', sid: 's' };
const refused = new BrokerError('publish-refused', 'odd');

it('publishes an event once and counts it by why', async () => {
  const { undelivered, published } = world();
  await undelivered.publish(event, 'ended', alice);
  expect(published).toMatchObject([{ exchange: 'mesh.undelivered', key: 'user.alice.x' }]);
  expect(undelivered.counts).toEqual({ overflow: 0, expired: 0, ended: 1, 'too-large': 0 });
});

it('publishes an event whose own headers cannot be written again without them', async () => {
  const { undelivered, published } = world([refused]);
  await undelivered.publish(event, 'expired', alice);
  expect(published[1]?.properties).toMatchObject({ messageId: 'm', headers: { 'evenkeel-why': 'expired' } });
  expect(published[1]?.properties.headers).not.toHaveProperty('odd');
});

it('rejects while the broker takes nothing, so that the event is kept', async () => {
  const away = new BrokerError('publish-timeout', 'away');
  const { undelivered } = world([away]);
  await expect(undelivered.publish(event, 'ended', alice)).rejects.toBe(away);
  expect(undelivered.counts.ended).toBe(0);
});

it('gives up an event that is refused in every form, and says so', async () => {
  const { undelivered, warnings } = world([refused, refused]);
  await undelivered.publish(event, 'ended', alice);
  expect(undelivered.refused).toBe(1);
  expect(warnings).toHaveLength(1);
});
