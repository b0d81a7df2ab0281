import { type StoryResult, settle } from '../result.js';
import type { Stage } from '../stage.js';

const joinWithinMs = 20_000;

const movesTolerance = 0.1;

/**
 * One more edge joins and gets its share; then the first and the second are restarted, one after the other. A share moves
 * when the edge joins, and each restart moves one away and one back: five in all.
 */
export async function playDefault(stage: Stage): Promise<StoryResult> {
  await stage.set();
  const startedAtMs = Date.now();
  await stage.enter();
  await stage.fleet.reset();
  await stage.publish();
  await stage.level(`${stage.options.edges} edges`, startedAtMs);

  const joinedAtMs = Date.now();
  const joined = await stage.mesh.addEdge();
  await stage.level(`${joined.node} joins`, joinedAtMs, joinWithinMs);

  for (const edge of stage.mesh.edges.slice(0, 2)) {
    const restartedAtMs = Date.now();
    await edge.restart();
    await stage.level(`${edge.node} restarts`, restartedAtMs);
  }
  const bound = Math.round((5 / (stage.options.edges + 1) + movesTolerance) * 1_000) / 1_000;
  return settle(stage, { movesPerSessionAllowed: bound }, { movesPerSession: bound });
}
