import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../fleet/until.js';
import { spreadOf } from '../level.js';
import { round, type StoryResult, settle } from '../result.js';
import { runningEdges, type Stage, say } from '../stage.js';

const hotPart = 0.05;
const hotEventsPart = 0.95;
const spreadAllowed = 1.1;
const windowMs = 10_000;
const finalWindowMs = 30_000;
const levelTimeoutMs = 240_000;

/** A few users get nearly all events, and all of them are on one edge: what is to be levelled is not connections. */
export async function playHot(stage: Stage): Promise<StoryResult> {
  await stage.set();
  await stage.enter();
  await stage.fleet.reset();
  const hot = await hotUsers(stage);
  const cold = stage.fleet.users.map((_, n) => n).filter((n) => !hot.includes(n));
  const anyOf = (numbers: readonly number[]) => numbers[Math.floor(stage.random() * numbers.length)] ?? 0;
  const begunAtMs = Date.now();
  await stage.publish(() => anyOf(stage.random() < hotEventsPart ? hot : cold));

  const before = await eventsPerSecond(stage, windowMs);
  say(`in the beginning: max/mean of events ${spread(stage, before).toFixed(3)}`);
  await until(levelTimeoutMs, 0, async () => {
    const perNode = await eventsPerSecond(stage, windowMs);
    say(`events a second: ${JSON.stringify(perNode)}`);
    const { plan } = await stage.operator.status();
    return !plan && spread(stage, perNode) <= spreadAllowed;
  });
  const seconds = round((Date.now() - begunAtMs) / 1_000);
  const after = await eventsPerSecond(stage, finalWindowMs);
  const maxOverMean = spread(stage, after);
  if (maxOverMean > spreadAllowed)
    stage.fail(`max/mean of events ${maxOverMean.toFixed(3)}, not ${spreadAllowed}`);
  stage.steps.push({
    name: 'levelled by events',
    perNode: await stage.fleet.nodes(),
    secondsToLevel: seconds,
    maxOverMean: round3(maxOverMean),
  });
  return settle(stage, {
    hotUsers: hot.length,
    eventsPerSecond: { before, after },
    eventsMaxOverMean: { before: round3(spread(stage, before)), after: round3(maxOverMean) },
  });
}

/** Of those on the first edge as many as are wanted, in the order of their numbers. */
async function hotUsers(stage: Stage): Promise<number[]> {
  const first = stage.mesh.edges[0]?.node;
  const nodes = await stage.fleet.whereabouts();
  const wanted = Math.max(1, Math.round(stage.options.sessions * hotPart));
  return nodes.flatMap((node, n) => (node === first ? [n] : [])).slice(0, wanted);
}

/** As the applications got them, by the node that their client was on. */
async function eventsPerSecond(stage: Stage, overMs: number): Promise<Record<string, number>> {
  const begin = (await stage.fleet.stats()).eventsPerNode;
  await sleep(overMs);
  const end = (await stage.fleet.stats()).eventsPerNode;
  return Object.fromEntries(
    runningEdges(stage.mesh).map(({ node }) => [
      node,
      round((((end[node] ?? 0) - (begin[node] ?? 0)) / overMs) * 1_000),
    ]),
  );
}

const spread = (stage: Stage, perNode: Record<string, number>): number =>
  spreadOf(
    perNode,
    runningEdges(stage.mesh).map(({ node }) => node),
  ).maxOverMean;

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;
