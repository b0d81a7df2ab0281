import { Broker } from '@evenkeel/broker';
import { Mesh } from '@evenkeel/mesh';
import { eventually } from '@evenkeel/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { startTestBroker } from '../support/private-broker.js';

const queue = 'test.alarm';

it('in an alarm what somebody waits for is refused soon and never comes, and the rest comes afterwards', async () => {
  const broker = await startTestBroker();
  onTestFinished(() => broker.stop());
  const mesh = new Mesh({ url: broker.amqpUrl, name: 'alarmed' });
  const patient = mesh.publisherApart('clients');
  const own = mesh.publisher;
  await mesh.start();
  onTestFinished(() => mesh.stop());
  await mesh.consuming.topology().declareQueue({ name: queue });
  const seen: string[] = [];
  const reader = await Broker.connect({ url: broker.amqpUrl, name: 'reader', attempts: 1 });
  onTestFinished(() => reader.close());
  await reader.consumers().consume(queue, {
    onDelivery: (d) => {
      seen.push(d.body.toString());
      d.ack();
    },
  });
  const prompt = (body: string) => patient.publish('', queue, body, {}, undefined, 1_000);
  expect([await prompt('before'), mesh.alarm('nothing')]).toEqual(['routed', undefined]);

  await broker.ctl(['set_vm_memory_high_watermark', '0.00001']);
  onTestFinished(async () => void (await broker.ctl(['set_vm_memory_high_watermark', '0.6'])));
  // RabbitMQ tells who publishes; it has this then, and leaves it unread.
  const own1 = own.publish('', queue, 'own 1');
  await eventually('the alarm is noticed', () => mesh.alarm('all waits') !== undefined);
  expect(mesh.alarm('all waits')).toMatch(
    /^RabbitMQ has raised an alarm \(low on memory\), \d s ago, and takes nothing by publishing: all waits$/,
  );
  expect(mesh.readiness()).toBe(true);
  const atMs = performance.now();
  const kept = patient.publish('', queue, 'kept');
  await expect(prompt('refused')).rejects.toMatchObject({ code: 'publisher-blocked' });
  expect(performance.now() - atMs).toBeLessThan(2_000);
  await expect(prompt('refused at once')).rejects.toMatchObject({ code: 'publisher-blocked' });
  expect(seen).toEqual(['before']);

  await broker.ctl(['set_vm_memory_high_watermark', '0.6']);
  expect(await Promise.all([own1, kept])).toEqual(['routed', 'routed']);
  expect(await prompt('after')).toBe('routed');
  await eventually('all has come', () => seen.includes('after'));
  expect(seen.sort()).toEqual(['after', 'before', 'kept', 'own 1']);
  expect(mesh.alarm('all waits')).toBeUndefined();
}, 180_000);
