import { randomUUID } from 'node:crypto';
import { Broker, userOf } from '@evenkeel/broker';
import type { Client } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { edgeKey, exchanges, toUid } from '@evenkeel/protocol';

/** Asks the client's edge to move it to another one, as a balancer would, in a mesh without one. Returns where to. */
export async function askToMove(mesh: Mesh, user: string, client: Client<never>): Promise<string> {
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'mover', attempts: 5 });
  const from = client.node ?? '';
  const to = mesh.edges.find(({ node }) => node !== from);
  const command = {
    command: 'reconnect',
    move: randomUUID(),
    to: { node: to?.node, url: to?.url },
    sessions: [`${toUid(user)}.${client.session}`],
    deadlineMs: 10_000,
  };
  const userId = userOf(mesh.amqpUrl);
  await broker.publisher().publish(exchanges.control, edgeKey(from), JSON.stringify(command), { userId });
  await broker.close();
  return to?.node ?? '';
}
