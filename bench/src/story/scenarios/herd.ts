import { summaryOf } from '../../fleet/delays.js';
import { until } from '../../fleet/until.js';
import { spreadOf } from '../level.js';
import { round, type StoryResult, settle } from '../result.js';
import { runningEdges, type Stage, say } from '../stage.js';

/** What each edge may be sent a second; the gateway's default, stated because it is measured against. */
const handshakesPerSecond = 500;
const spreadAllowed = 1.05;
const returnTimeoutMs = 120_000;

/** All clients arrive in the same second. Then an edge is killed, and its clients come back all at once. */
export async function playHerd(stage: Stage): Promise<StoryResult> {
  await stage.set({ EVENKEEL_HANDSHAKES_PER_SECOND: String(handshakesPerSecond) });
  const arriveAtMs = Date.now();
  await stage.enter({ arriveWithinMs: 1_000 });
  const arrival = await allIn(stage, 'all are in', arriveAtMs);
  await stage.fleet.reset();
  await stage.publish();

  const victim = stage.mesh.edges[0];
  if (victim === undefined) throw new Error('there is no edge to kill');
  const killedAtMs = Date.now();
  await victim.kill();
  say(`${victim.node} was killed`);
  const areBack = await until(returnTimeoutMs, 100, async () => {
    const { connected, perNode } = await stage.fleet.stats();
    return connected === stage.options.sessions && (perNode[victim.node] ?? 0) === 0;
  });
  if (!areBack)
    stage.fail(`not every client was back ${returnTimeoutMs / 1_000} s after ${victim.node} was killed`);
  const recovery = await allIn(stage, `${victim.node} was killed`, killedAtMs);
  return settle(
    stage,
    { handshakesPerSecondAllowed: handshakesPerSecond, herd: arrival, recovery },
    { mayDisconnect: true },
  );
}

/** Notes the step and what every edge was asked to take. */
async function allIn(stage: Stage, name: string, sinceMs: number): Promise<Record<string, unknown>> {
  const seconds = round((Date.now() - sinceMs) / 1_000);
  const { perNode, dials, connectFailures, delays } = await stage.fleet.stats();
  const edges = runningEdges(stage.mesh);
  const { maxOverMean } = spreadOf(
    perNode,
    edges.map(({ node }) => node),
  );
  stage.steps.push({ name, perNode, secondsToLevel: seconds, maxOverMean });
  say(`${name}: max/mean ${maxOverMean.toFixed(3)} after ${seconds} s`);
  if (maxOverMean > spreadAllowed)
    stage.fail(`${name}: max/mean ${maxOverMean.toFixed(3)}, not ${spreadAllowed}`);

  const highestHandshakesPerSecond: Record<string, number> = {};
  for (const { node, url } of edges) {
    const highest = Math.max(0, ...Object.values(dials[new URL(url).host] ?? {}));
    highestHandshakesPerSecond[node] = highest;
    if (highest <= handshakesPerSecond) continue;
    stage.fail(`${name}: ${node} was dialled ${highest} times in a second, not ${handshakesPerSecond}`);
  }
  return {
    seconds,
    highestHandshakesPerSecond,
    turnedAway: connectFailures,
    connectMs: summaryOf(delays.connectTimes),
  };
}
