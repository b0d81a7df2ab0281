import { root, runToEnd } from '@evenkeel/local';
import { round, type StoryResult, settle } from '../result.js';
import { type Stage, say } from '../stage.js';
import { queuesOn, whole } from './cluster-nodes.js';

const cli = `${root}/packages/operator/bin/evenkeel.mjs`;
/** A drain that has not ended by then does not: so long, and so much more for each session. */
const drain = { leastMs: 240_000, perSessionMs: 150 };
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
    const command = [cli, 'drain-broker', address, '--amqp-url', stage.urlFor('operator')];
    const timeoutMs = drain.leastMs + stage.options.sessions * drain.perSessionMs;
    const { status, stdout, stderr } = await runToEnd(process.execPath, command, { timeoutMs });
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
