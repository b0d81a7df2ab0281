import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerNode, PrivateCluster } from '@evenkeel/local';
import { gapReasons } from '@evenkeel/protocol';
import { type DelaySummary, summaryOf } from '../../fleet/delays.js';
import type { ClientLosses } from '../../fleet/messages.js';
import { until } from '../../fleet/until.js';
import { round, type StoryResult, settle } from '../result.js';
import { type Stage, say } from '../stage.js';
import { isOf, queuesOn, whole } from './cluster-nodes.js';

const calmMs = 20_000;
/** The sessions of the node that is lost have this long to be back. */
const backMs = 20_000;
const giveUpMs = 60_000;
/** The delay of the others' events may be so many times what it was. */
const mostSlower = 2;

/** What came of sessions. */
interface Group {
  readonly sessions: number;
  readonly gaps: number;
  readonly disconnects: number;
}

/**
 * One of three brokers is killed under traffic, and comes back. Sessions whose queue lives elsewhere notice nothing; the others have one
 * gap each within 20 s. Nothing is lost without a gap, repeated or out of order.
 */
export async function playNodeLost(stage: Stage): Promise<StoryResult> {
  const broker = await stage.setOnCluster();
  const { sessions } = stage.options;
  await stage.enter();
  await stage.publish();
  const { fleet } = stage;
  const { victim, numbers } = await pick(stage, broker);
  const there = new Set(numbers);
  const elsewhere = fleet.users.map((_, n) => n).filter((n) => !there.has(n));
  if (there.size === 0 || elsewhere.length === 0)
    stage.fail(`${there.size} of ${sessions} sessions live there`);
  say(`${there.size} of ${sessions} sessions have their queue on ${victim.name}`);
  await fleet.control(elsewhere);
  await fleet.reset();
  await sleep(calmMs);
  const calm = await delayOf(stage);
  await fleet.reset();

  const lostAtMs = Date.now();
  await victim.kill();
  say(`${victim.name} is killed`);
  await until(giveUpMs, 250, async () => {
    const losses = await fleet.losses();
    return numbers.every((n) => (losses[n]?.gapsAtMs.length ?? 0) > 0);
  });
  await sleep(Math.max(0, lostAtMs + calmMs - Date.now()));
  const losses = await fleet.losses();
  const [lost, others] = [judgeLost(stage, numbers, losses, lostAtMs), judgeOthers(stage, elsewhere, losses)];
  const during = await delayOf(stage);
  if (during.p99 > mostSlower * calm.p99)
    stage.fail(`events of the others took ${during.p99} ms (p99), ${calm.p99} ms before`);
  await onlyOfBroker(stage);

  await fleet.reset();
  await victim.restart();
  await whole(stage, victim);
  await sleep(calmMs);
  const { gaps, disconnects } = await fleet.stats();
  if (Object.keys(gaps).length > 0 || disconnects > 0)
    stage.fail(`when it was back: gaps ${JSON.stringify(gaps)}, ${disconnects} connections lost`);
  const extra = { lost, elsewhere: others, calmDelayMs: calm, delayMsWhileLost: during };
  return await settle(stage, extra, { mayDisconnect: true, mayLose: true });
}

/** The node with the most sessions of those that the publisher is not connected to, and the numbers of these. */
async function pick(
  { fleet, broker: { ctl } }: Stage,
  broker: PrivateCluster,
): Promise<{ victim: BrokerNode; numbers: number[] }> {
  const listed = await ctl(['list_connections', 'pid', 'client_properties', '--no-table-headers']);
  const [publishing = ''] = listed.split('\n').filter((line) => line.includes('"numbered"'));
  const numberOf = new Map(fleet.users.map((user, n) => [user, n]));
  const nodes = await Promise.all(
    broker.nodes
      .filter((node) => !isOf(node, publishing))
      .map(async (victim) => {
        const users = (await queuesOn(broker, victim)).map((queue) => queue.split('.')[1] ?? '');
        return { victim, numbers: users.flatMap((user) => numberOf.get(user) ?? []) };
      }),
  );
  const [most] = nodes.sort((a, b) => b.numbers.length - a.numbers.length);
  if (most === undefined) throw new Error('there is one node alone');
  return most;
}

/** One gap each, in time. */
function judgeLost(
  stage: Stage,
  numbers: readonly number[],
  losses: readonly ClientLosses[],
  lostAtMs: number,
): Group & { readonly secondsToGap: { readonly p50: number; readonly p99: number; readonly max: number } } {
  const told = numbers.map((n) => losses[n]?.gapsAtMs ?? []);
  const not = told.filter(({ length }) => length !== 1);
  if (not.length > 0)
    stage.fail(`${not.length} sessions of the lost node were not told one gap, but ${not[0]?.length}`);
  const seconds = told.flatMap(([atMs]) => (atMs === undefined ? [] : [(atMs - lostAtMs) / 1_000]));
  seconds.sort((a, b) => a - b);
  const at = (part: number): number => round(seconds[Math.floor(part * (seconds.length - 1))] ?? 0);
  if (at(1) * 1_000 > backMs) stage.fail(`the last of them was told after ${at(1)} s`);
  return { ...groupOf(numbers, losses), secondsToGap: { p50: at(0.5), p99: at(0.99), max: at(1) } };
}

/** Nothing. */
function judgeOthers(stage: Stage, numbers: readonly number[], losses: readonly ClientLosses[]): Group {
  const group = groupOf(numbers, losses);
  if (group.gaps > 0) stage.fail(`sessions elsewhere were told ${group.gaps} gaps`);
  if (group.disconnects > 0) stage.fail(`sessions elsewhere lost ${group.disconnects} connections`);
  return group;
}

function groupOf(numbers: readonly number[], losses: readonly ClientLosses[]): Group {
  const sum = (of: (each: ClientLosses | undefined) => number): number =>
    numbers.reduce((total, n) => total + of(losses[n]), 0);
  return {
    sessions: numbers.length,
    gaps: sum((each) => each?.gapsAtMs.length ?? 0),
    disconnects: sum((each) => each?.disconnects ?? 0),
  };
}

/** Of the events of sessions elsewhere, since the last reset. */
async function delayOf({ fleet }: Stage): Promise<DelaySummary> {
  return summaryOf((await fleet.stats()).delays.control);
}

async function onlyOfBroker(stage: Stage): Promise<void> {
  const { gaps } = await stage.fleet.stats();
  const other = Object.keys(gaps).filter((reason) => reason !== gapReasons.brokerLost);
  if (other.length > 0) stage.fail(`gaps for other reasons: ${JSON.stringify(gaps)}`);
}
