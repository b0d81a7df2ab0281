import { createPublisher, type InboundHandler } from '@evenkeel/publisher';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('a');
});
afterAll(() => mesh.close());

async function serving(handler: InboundHandler) {
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  const service = await publisher.serve('shop.tell', handler);
  return {
    end: async () => {
      await service.stop();
      await publisher.close();
    },
  };
}

it('a generator answers in parts, once for each id, never far ahead of its client, and then says how many', async () => {
  let runs = 0;
  let made = 0;
  const { end } = await serving(async function* () {
    runs += 1;
    for (const n of range(0, 1_499)) {
      made = n + 1;
      yield n;
    }
    return 'end';
  });
  const session = new SessionUnderTest('reader');
  const client = await session.attach(edge, {}, {}, { acks: false });
  for (let n = 0; n < 3; n += 1) client.send({ t: 'request', id: 'one', method: 'shop.tell' });
  await client.until('as many as it is ahead', () => client.of('part').length === 32);
  await mesh.event(session, 'between');
  await client.eventCount(1);
  expect(made).toBeLessThan(35);
  client.onReceived(({ frame }) => {
    if (frame && 'seq' in frame && frame.seq !== undefined && client.isOpen) client.ack(frame.seq);
  });
  const ok = await client.frame('ok', undefined, 30_000);
  expect(ok).toMatchObject({ data: 'end', parts: 1_500, seq: expect.any(Number) });
  expect(client.of('part').map(({ n }) => n)).toEqual(range(0, 1_499));
  expect([runs, client.of('gap')]).toEqual([1, []]);
  await client.close();
  await end();
});

it('what a client cancels is heard by the signal of the request, and the answer ends', async () => {
  let heard = false;
  const { end } = await serving(async function* ({ signal }) {
    signal.addEventListener('abort', () => {
      heard = true;
    });
    for (let n = 0; !signal.aborted; n += 1) {
      yield n;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  const client = await new SessionUnderTest('leaver').attach(edge);
  client.send({ t: 'request', id: 'x', method: 'shop.tell' });
  await client.frame('part');
  client.send({ t: 'cancel', re: 'x' });
  await vi.waitUntil(() => heard, { timeout: 15_000 });
  expect(await client.frame('error')).toMatchObject({ re: 'x', code: 'cancelled', from: 'service' });
  await client.close();
  await end();
});
