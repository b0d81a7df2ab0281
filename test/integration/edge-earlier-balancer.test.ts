import { exchanges, meshTopology } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

const NAMESPACES = JSON.stringify({ namespaces: { room: { presence: true } } });
/** What a balancer of an earlier version does not declare. */
const later = [exchanges.presence, exchanges.cancel, exchanges.topics];
const waiting = { timeout: 30_000, interval: 100 };

it('an edge beside a balancer of an earlier version is ready and serves all else, and tells who is there once it can', async () => {
  const mesh = await EdgeMesh.open();
  onTestFinished(() => mesh.close());
  for (const name of later) await mesh.topology.deleteExchange(name);
  await mesh.topology.declareQueue({ name: 'service', durable: false, exclusive: true });
  await mesh.topology.bind('service', exchanges.inbound, '#');

  const edge = await mesh.edge('edge-1', { NAMESPACES });
  const { notes } = (await (await fetch(`${edge.member.opsUrl}/readyz`)).json()) as { notes?: object };
  expect(notes).toMatchObject({ presence: expect.stringContaining('queue edge.edge-1.presence') });

  const session = new SessionUnderTest('ann');
  const ann = await session.attach(edge, { topics: [{ topic: 'room.1', presence: true }] });
  const bob = await new SessionUnderTest('bob').attach(edge, { topics: ['room.1'] });
  await mesh.event(session, 'an event');
  await ann.frame('event', ({ data }) => data === 'an event');
  await mesh.message('room.1', 'a message');
  await bob.frame('message', ({ data }) => data === 'a message');
  // Nobody can be told of a cancel; what goes to the broker beside it goes once.
  ann.send({ t: 'request', id: 'r', method: 'shop.price', data: 1 });
  ann.send({ t: 'cancel', re: 'r' });
  ann.send({ t: 'publish', id: 'p', topic: 'chat.harbour', data: 2 });
  await ann.frame('ok', ({ re }) => re === 'p');
  expect((await mesh.topology.checkQueue('service'))?.messages).toBe(2);

  const { exchanges: all, queues, bindings } = meshTopology;
  await mesh.broker.declare({ exchanges: all, queues, bindings });
  let asked = 0;
  const who = await vi.waitUntil(async () => {
    asked += 1;
    const id = `who-${asked}`;
    ann.send({ t: 'presence', id, topic: 'room.1' });
    await ann.until('an answer', () => ann.frames.some(({ re }) => re === id));
    return ann.frames.find(({ t, re }) => t === 'ok' && re === id);
  }, waiting);
  expect(who.data).toMatchObject({ count: 2 });
  const other = await mesh.edge('edge-2', { NAMESPACES });
  await new SessionUnderTest('cid').attach(other, { topics: ['room.1'] });
  await ann.frame('presence', (frame) => JSON.stringify(frame.joined).includes('"cid"'));
});
