import { Broker } from '@evenkeel/broker';
import { type Client, type ConnectOptions, connect } from '@evenkeel/client';
import { startMesh } from '@evenkeel/local';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import WebSocket from 'ws';
import { freshVhost, rabbitmqctl } from '../broker.js';
import { silent, type World } from './world.js';

/** So few events wait for a session: the rest is lost. */
const maxLength = 20;

/** The network of one client. */
class Network {
  isAway = false;
  readonly sockets = new Set<WebSocket>();

  cut(): void {
    this.isAway = true;
    for (const socket of this.sockets) socket.terminate();
  }
}

export async function openReal(): Promise<World> {
  const { amqpUrl, vhost, urlFor } = await freshVhost();
  const env = { EVENKEEL_SESSION_MAX_LENGTH: String(maxLength) };
  const mesh = await startMesh({ edges: 2, amqpUrl, urlFor, env });
  const operator = await createOperator({ amqpUrl: urlFor('operator') });
  const broker = await Broker.connect({ url: amqpUrl, name: 'world', attempts: 3 });
  const publishers: Publisher[] = [];
  const networks = new Map<Client, Network>();
  const newPublisher = async (name: string): Promise<Publisher> => {
    const publisher = await createPublisher({ amqpUrl, name, attempts: 3, log: silent });
    publishers.push(publisher);
    return publisher;
  };
  const filling = await newPublisher('filling');

  const connectTo = (options: ConnectOptions): Client => {
    const network = new Network();
    const client = connect({
      ...options,
      gateway: mesh.gatewayUrl,
      backoff: { minMs: 20, maxMs: 200 },
      fetch: (...args) => (network.isAway ? Promise.reject(new Error('offline')) : fetch(...args)),
      WebSocket: class extends WebSocket {
        constructor(...args: ConstructorParameters<typeof WebSocket>) {
          super(...args);
          network.sockets.add(this);
        }
      },
    });
    networks.set(client, network);
    return client;
  };

  return {
    connect: connectTo as typeof connect,
    createPublisher: newPublisher,
    sealed: async ({ session }, user) => {
      // It is the only message, and its edge holds it.
      const list = () =>
        rabbitmqctl('--quiet', '-p', vhost, 'list_queues', 'name', 'messages_unacknowledged');
      const line = `session.${user}.${session}\t1`;
      await eventually('the seal', async () => (await list()).split('\n').includes(line), 20_000);
    },
    move: async ({ node = '' }) => {
      await operator.drain({ nodes: [node] });
    },
    disconnect: (client) => networks.get(client)?.cut(),
    restore: (client) => {
      const network = networks.get(client);
      if (network) network.isAway = false;
    },
    loseWaiting: async (_client, user) => {
      for (let i = 0; i < 2 * maxLength; i++) await filling.toUser(user, 'filler', i);
    },
    expire: async ({ session }, user) => {
      const queue = `session.${user}.${session}`;
      // An edge that still consumes it would make it again.
      const isLeft = async () => (await broker.topology().checkQueue(queue))?.consumers === 0;
      await eventually('its edge has let it go', isLeft);
      await broker.topology().deleteQueue(queue);
    },
    expel: async (user) => {
      await operator.disconnect(user);
    },
    close: async () => {
      await Promise.all(publishers.map((publisher) => publisher.close()));
      await Promise.all([operator.close(), broker.close()]);
      await mesh.stop();
    },
  };
}
