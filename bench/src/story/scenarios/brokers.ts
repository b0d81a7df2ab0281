import { type BrokerNode, queuesThatLackReplicas, root, runToEnd } from '@evenkeel/local';
import { until } from '../../fleet/until.js';
import { round, type StoryResult, settle } from '../result.js';
import { type Stage, say } from '../stage.js';

const cli = `${root}/packages/operator/bin/evenkeel.mjs`;
/** A drain that has not ended by then does not. */
const drainMs = 240_000;
/** Until RabbitMQ has again what it keeps on every node. */
const rejoinMs = 60_000;
/** A node that was away is left alone for so long, as an operator looks at it. */
const pauseMs = 3_000;

/**
 * Each of three brokers is drained by the command line, ended in order and started again, under traffic. Nobody is to notice: no event
 * or message is lost, told as lost, repeated or out of order, and nobody loses a connection.
 */
export async function playBrokers(stage: Stage): Promise<StoryResult> {
  const broker = await stage.setOnCluster();
  await stage.enter();
  await stage.fleet.reset();
  await stage.publish();
  const seconds: Record<string, number> = {};
  for (const node of broker.nodes) {
    const address = new URL(node.amqpUrl).host;
    const beganAtMs = Date.now();
    const before = (await queuesOn(broker, node)).length;
    const drain = [cli, 'drain-broker', address, '--amqp-url', stage.urlFor('operator')];
    const { status, stdout, stderr } = await runToEnd(process.execPath, drain, { timeoutMs: drainMs });
    if (status !== 0) stage.fail(`drain-broker ${address}: ${stderr}${stdout}`);
    const left = await queuesOn(broker, node);
    if (left.length > 0)
      stage.fail(`${left.length} queues of sessions were left on ${address}: ${left.slice(0, 5).join(', ')}`);
    seconds[address] = round((Date.now() - beganAtMs) / 1_000);
    say(
      `${address} is drained after ${seconds[address]} s: ${before} queues of sessions before, ${left.length} now`,
    );
    await node.restart();
    await whole(stage, node);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return await settle(stage, { secondsToDrain: seconds });
}

type Ctl = { ctl(args: readonly string[]): Promise<string> };

/** Sessions' queues that live on this node. */
async function queuesOn(broker: Ctl, { name }: BrokerNode): Promise<string[]> {
  const listed = await broker.ctl(['list_queues', 'name', 'pid', '--no-table-headers']);
  const rows = listed.split('\n').map((line) => line.split('\t'));
  return rows.flatMap(([queue = '', pid = '']) =>
    queue.startsWith('session.') && pid.includes(`<${name}.`) ? [queue] : [],
  );
}

/** As whoever restarts brokers in turn waits for it (`rabbitmq-queues check_if_node_is_quorum_critical`). */
async function whole(stage: Stage, { name }: BrokerNode): Promise<void> {
  const isWhole = async () => (await queuesThatLackReplicas(stage.broker)) === 0;
  if (!(await until(rejoinMs, 500, () => isWhole().catch(() => false))))
    stage.fail(`${name} had not everything back after ${rejoinMs / 1_000} s`);
}
