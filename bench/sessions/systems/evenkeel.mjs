import { connect } from '@evenkeel/client';
import { startMesh, startPrivateBroker } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import WebSocket from 'ws';

/** Evenkeel with two edges. What the application keeps of its users it keeps itself: a session has no such place. */
export async function startEvenkeel() {
  const broker = await startPrivateBroker();
  const { amqpUrl, urlFor, addUser } = broker;
  const mesh = await startMesh({ edges: 2, amqpUrl, urlFor, addUser: (user) => addUser(user) });
  await addUser('app-compare');
  const publisher = await createPublisher({ amqpUrl: urlFor('app-compare'), name: 'compare' });
  const clients = [];
  const [first] = mesh.edges;
  return {
    name: 'Evenkeel',
    versions: { '@evenkeel/client': '0.1.0', RabbitMQ: broker.version },
    settings: 'as npm start sets it up',
    beside: 'RabbitMQ',
    async connect(user, on) {
      const client = connect({ gateway: mesh.gatewayUrl, user, WebSocket, storage: false });
      clients.push(client);
      let session;
      client.on('tick', ({ data }) => on.message(data));
      client.onStatus((status) => {
        if (status.type === 'disconnected') on.disconnected();
        else if (status.type === 'gap') on.told();
        else if (status.type === 'moved') on.back(client.session === session);
        else if (status.type === 'connected' && session !== undefined)
          on.back(status.resumed && status.session === session);
      });
      await client.ready();
      session = client.session;
      return { isOnFirst: client.node === first.node };
    },
    send: (users, n) => Promise.all(users.map((user) => publisher.toUser(user, 'tick', n))),
    async restart(signal) {
      if (signal === 'SIGKILL') await first.kill();
      else await first.stop();
      return () => first.start();
    },
    async stop() {
      for (const client of clients) await client.close();
      await publisher.close();
      await mesh.stop();
      await broker.stop();
    },
  };
}
