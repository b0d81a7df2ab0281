import { TcpProxy } from '@evenkeel/testkit';
import { expect, it } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

const namespaces = JSON.stringify({
  namespaces: { room: { subscribe: 'anyone', history: { size: 100, seconds: 600 } } },
});

// Long: it waits for the edge's 10 s.
it('who asks an edge without a broker for what came behind a position that it has not heard of is told so', async () => {
  const mesh = await EdgeMesh.open();
  const proxy = await TcpProxy.toUrl(mesh.urlFor('edge'));
  const cutOff = { NAMESPACES: namespaces, AMQP_URL: proxy.urlFor(mesh.urlFor('edge')) };
  const [edge, other] = await Promise.all([
    mesh.edge('cut-off', cutOff),
    mesh.edge('other', { NAMESPACES: namespaces }),
  ]);
  const client = await new SessionUnderTest('reader').attach(edge);
  const ahead = await new SessionUnderTest('ahead').attach(other, { topics: ['room.1'] });
  proxy.refuse();
  proxy.cut();
  await mesh.message('room.1', 1);
  const { position: since } = await ahead.frame('message');
  client.send({ t: 'history', id: '1', topic: 'room.1', since });
  client.send({ t: 'history', id: '2', topic: 'room.1' });
  for (const id of ['1', '2'])
    expect(await client.frame('error', ({ re }) => re === id, 20_000)).toMatchObject({
      code: 'broker-unavailable',
    });
  proxy.allow();
  client.send({ t: 'history', id: '3', topic: 'room.1', since });
  await client.frame('ok', ({ re }) => re === '3');
  await Promise.all([client.close(), ahead.close()]);
  await mesh.close();
  await proxy.close();
});
