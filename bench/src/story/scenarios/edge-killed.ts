import { setTimeout as sleep } from 'node:timers/promises';
import { summaryOf } from '../../fleet/delays.js';
import { until } from '../../fleet/until.js';
import { spreadOf } from '../level.js';
import { round, type StoryResult, settle } from '../result.js';
import { runningEdges, type Stage, say } from '../stage.js';

/** Every client is back within this. */
const backMs = 15_000;
const giveUpMs = 120_000;
const calmMs = 5_000;

/**
 * All sessions are on one edge, which is killed under traffic, while others stand by: the clients are back on these in time, and nothing
 * is lost.
 */
export async function playEdgeKilled(stage: Stage): Promise<StoryResult> {
  const { edges, sessions } = stage.options;
  // Nobody moves to the others before.
  await stage.set({ EVENKEEL_MODE: 'manual' }, { edges: 1 });
  await stage.enter();
  await stage.publish();
  const { fleet, mesh } = stage;
  const [victim] = mesh.edges;
  if (victim === undefined) throw new Error('there is no edge to kill');
  for (let n = 1; n < edges; n++) await mesh.addEdge();
  const areUp = await until(giveUpMs, 250, async () => {
    const active = (await stage.nodes().catch(() => [])).filter(({ state }) => state === 'active');
    return active.length === edges;
  });
  if (!areUp) stage.fail('not every edge was active');
  await sleep(calmMs);
  const held = (await fleet.stats()).perNode[victim.node] ?? 0;
  if (held !== sessions) stage.fail(`${victim.node} held ${held} of ${sessions} sessions`);
  await fleet.reset();

  const killedAtMs = Date.now();
  await victim.kill();
  say(`${victim.node} was killed, with ${held} sessions`);
  const areBack = await until(giveUpMs, 100, async () => {
    const { connected, perNode } = await fleet.stats();
    return connected === sessions && (perNode[victim.node] ?? 0) === 0;
  });
  const seconds = round((Date.now() - killedAtMs) / 1_000);
  const { perNode, delays } = await fleet.stats();
  const { maxOverMean } = spreadOf(
    perNode,
    runningEdges(mesh).map(({ node }) => node),
  );
  stage.steps.push({ name: `${victim.node} is killed`, perNode, secondsToLevel: seconds, maxOverMean });
  const returnMs = summaryOf(delays.returnTimes);
  say(
    `the last was back after ${seconds} s; p50 ${returnMs.p50} ms, p99 ${returnMs.p99} ms, max ${returnMs.max} ms`,
  );
  if (!areBack) stage.fail(`not every client was back after ${giveUpMs / 1_000} s`);
  else if (seconds * 1_000 > backMs)
    stage.fail(`the last client was back after ${seconds} s, not ${backMs / 1_000} s`);
  const extra = { sessionsOfKilled: held, secondsToAllBack: seconds, returnMs };
  return await settle(stage, extra, { mayDisconnect: true });
}
