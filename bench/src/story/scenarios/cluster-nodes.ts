import { type BrokerNode, queuesThatLackReplicas } from '@evenkeel/local';
import { until } from '../../fleet/until.js';
import { type Stage, say } from '../stage.js';

type Ctl = { ctl(args: readonly string[]): Promise<string> };

/** Until RabbitMQ has again what it keeps on every node. */
const rejoinMs = 60_000;

/** Sessions' queues that live on this node. */
export async function queuesOn(broker: Ctl, node: BrokerNode): Promise<string[]> {
  const listed = await broker.ctl(['list_queues', 'name', 'pid', '--no-table-headers']);
  const rows = listed.split('\n').map((line) => line.split('\t'));
  return rows.flatMap(([queue = '', pid = '']) =>
    queue.startsWith('session.') && isOf(node, pid) ? [queue] : [],
  );
}

/** Whether a process of RabbitMQ, as it is listed, lives on this node. */
export const isOf = ({ name }: BrokerNode, pid: string): boolean => pid.includes(`<${name}.`);

/** As whoever restarts brokers in turn waits for it (`rabbitmq-queues check_if_node_is_quorum_critical`). */
export async function whole(stage: Stage, { name }: BrokerNode): Promise<void> {
  const isWhole = async () => (await queuesThatLackReplicas(stage.broker)) === 0;
  if (await until(rejoinMs, 500, () => isWhole().catch(() => false))) say(`${name} has everything back`);
  else stage.fail(`${name} had not everything back after ${rejoinMs / 1_000} s`);
}
