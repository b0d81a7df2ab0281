import { say } from '../stage.js';
import type { FrontStep } from './result.js';
import type { World } from './world.js';

const inWithinMs = 5_000;
const backWithinMs = 15_000;

export interface Judge {
  readonly fail: (what: string) => void;
  /** What does not hold of the nodes; empty: nothing, or it is not asked. */
  readonly faultsOf: (nodes: FrontStep['nodes']) => readonly string[];
}

/** Join, drain, crash, ripple restart: the same steps for whatever stands behind the front. */
export async function playSteps(world: World, { fail, faultsOf }: Judge): Promise<FrontStep[]> {
  const steps: FrontStep[] = [];
  const step = async (name: string, take: () => Promise<string>): Promise<void> => {
    const beganAtMs = Date.now();
    const note = await take();
    const nodes = await world.settled();
    const seconds = Math.round((Date.now() - beganAtMs) / 100) / 10;
    const each = nodes.map(
      ({ node, sessions, pinned }) => `${node} ${sessions}${pinned > 0 ? ` (${pinned} pinned)` : ''}`,
    );
    say(`${name}: ${each.join(', ')}, after ${seconds} s${note === '' ? '' : `; ${note}`}`);
    for (const fault of faultsOf(nodes)) fail(`${name}: ${fault}`);
    steps.push({ name, seconds, nodes, note, ...(await world.totals()) });
  };
  const timed = (what: string, ms: number | undefined, withinMs: number): string => {
    if (ms === undefined) fail(`not everybody was ${what} in time`);
    else if (ms > withinMs) fail(`everybody was ${what} after ${ms} ms, not ${withinMs}`);
    return ms === undefined ? `not all ${what}` : `all ${what} in ${(ms / 1_000).toFixed(1)} s`;
  };
  const done = async (action: Promise<void>): Promise<string> => {
    await action;
    return '';
  };

  await step('all in', async () => timed('in', await world.enter(), inWithinMs));
  await step('edge-3 joins', () => done(world.join()));
  await step('drain edge-1', () => world.drain());
  await step('uncordon edge-1', () => done(world.uncordon()));
  await step('kill -9 edge-2', async () => timed('back', await world.kill(), backWithinMs));
  await step('edge-2 is back', () => done(world.back()));
  for (const edge of [1, 2, 3]) await step(`edge-${edge} restarts`, () => done(world.restart(edge)));
  return steps;
}
