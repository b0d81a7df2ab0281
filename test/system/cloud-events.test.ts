import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type CloudEvent, cloudEventOf, connect } from '@evenkeel/client';
import { cloudEvent, createPublisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { python } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';

const run = promisify(execFile);

/** Publishes one in binary mode as other programs do: by the older of the two prefixes, with an id of its own as `message_id`. */
const pikaPublish = `
import json, pika, sys
url, event = sys.argv[1], json.loads(sys.argv[2])
data, kind = event.pop("data"), event.pop("datacontenttype")
channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
channel.confirm_delivery()
properties = pika.BasicProperties(
    content_type=kind, message_id="by-pika", headers={"cloudEvents_" + name: value for name, value in event.items()})
channel.basic_publish("mesh.events", "user.alice.order.created", json.dumps(data), properties, mandatory=True)
`;

test('a CloudEvent reaches clients whole in both modes, from the SDK, from pika and over HTTP, and services from clients', async () => {
  const mesh = await startTestMesh({ api: true });
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice', storage: false });
  onTestFinished(() => client.close());
  const got: (CloudEvent | undefined)[] = [];
  const ids: string[] = [];
  client.on('*', (event) => {
    got.push(cloudEventOf(event));
    ids.push(event.id);
  });
  await client.subscribe('orders', (message) => void got.push(cloudEventOf(message)));
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  onTestFinished(() => publisher.close());

  const event = {
    specversion: '1.0',
    id: '7',
    source: '/shop',
    type: 'order.created',
    subject: 'order-7',
    time: '2026-11-27T13:00:00Z',
    datacontenttype: 'application/json',
    region: 'eu',
    data: { number: 7, item: 'Kompaß' },
  } as const;
  const next = (how: string, count: number) =>
    eventually(`the event ${how}`, () => got.length === count, 20_000);

  for (const mode of ['binary', 'structured'] as const) {
    const { payload, options } = cloudEvent({ ...event, id: mode }, mode);
    await publisher.toUser('alice', 'order.created', payload, options);
    // Once more, as after a crash: it has the same identity.
    await publisher.toUser('alice', 'order.created', payload, options);
  }
  await next('in both modes', 2);
  const { payload, options } = cloudEvent(event);
  await publisher.toTopic('orders', payload, options);
  await next('of a topic', 3);
  await run(python, ['-c', pikaPublish, mesh.urlFor('app-shop'), JSON.stringify(event)]);
  await next('from pika', 4);
  const { url, key } = mesh.apiAddress ?? { url: '', key: '' };
  const answer = await fetch(`${url}/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'alice', event: 'order.created', data: event, id: 'by-http' }),
  });
  expect(answer.status).toBe(202);
  await next('over HTTP', 5);
  expect(got).toEqual([{ ...event, id: 'binary' }, { ...event, id: 'structured' }, event, event, event]);
  expect(ids).toEqual(['/shop binary', '/shop structured', 'by-pika', 'by-http']);

  const received: unknown[] = [];
  await publisher.on('shop.orders', (message) => void received.push(cloudEventOf(message)));
  await client.publish('shop.orders', event);
  await eventually('the service has it', () => received.length === 1);
  expect(received).toEqual([event]);
});
