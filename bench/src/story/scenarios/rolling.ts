import type { Edge } from '@evenkeel/local';
import { type StoryResult, settle } from '../result.js';
import { runningEdges, type Stage, say } from '../stage.js';

const newVersion = '2';
const movesTolerance = 0.05;

/**
 * Every edge is restarted in turn, with a new version. A session must move at least once. One edge of the new version
 * more stands in meanwhile (the surge of a rolling deploy) and goes at the end: its share moves twice, so the bound is
 * 1 + 1 / edges. Without it those of the first edge can only go to others that are still to be restarted, and the last
 * edge is filled from those that have been: 1 + 2 / edges.
 */
export async function playRolling(stage: Stage): Promise<StoryResult> {
  const { edges, surge } = stage.options;
  await stage.set({ EVENKEEL_VERSION: '1' });
  const startedAtMs = Date.now();
  await stage.enter();
  await stage.fleet.reset();
  await stage.publish();
  await stage.level(`${edges} edges`, startedAtMs);

  const first = [...stage.mesh.edges];
  let standIn: Edge | undefined;
  const { moves: movesBefore } = await stage.fleet.stats();
  const rollAtMs = Date.now();
  if (surge) {
    standIn = await stage.mesh.addEdge({ EVENKEEL_VERSION: newVersion });
    await stage.seen(standIn.node, newVersion);
    say(`${standIn.node} stands in, with the new version`);
  }
  for (const edge of first) {
    const beganAtMs = Date.now();
    await edge.restart({ EVENKEEL_VERSION: newVersion });
    await stage.seen(edge.node, newVersion);
    say(
      `${edge.node} restarted with the new version in ${Math.round((Date.now() - beganAtMs) / 100) / 10} s`,
    );
  }
  await standIn?.stop();
  await stage.level(`${edges} edges with the new version`, rollAtMs);

  for (const { node, version } of await stage.nodes()) {
    const isMeant = runningEdges(stage.mesh).some((edge) => edge.node === node);
    if (isMeant && version !== newVersion) stage.fail(`${node} runs version ${version}`);
  }
  const bound = 1 + (surge ? 1 : 2) / edges + movesTolerance;
  return settle(stage, { surge, movesPerSessionAllowed: bound }, { movesPerSession: bound, movesBefore });
}
