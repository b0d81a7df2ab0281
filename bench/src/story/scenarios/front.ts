import { join } from 'node:path';
import { Front, type FrontName, stateDir } from '@evenkeel/local';
import { choiceOf } from '../front/choice.js';
import { MeshWorld } from '../front/mesh-world.js';
import { PlainWorld } from '../front/plain-world.js';
import type { FrontResult, StoryFront } from '../front/result.js';
import { playSteps } from '../front/steps.js';
import { tryTickets } from '../front/tickets.js';
import { faultsOfNodes, faultsOfOutcome, faultsOfTickets } from '../front/verdict.js';
import type { World } from '../front/world.js';
import type { Stage } from '../stage.js';
import { watchStats } from '../stats-watch.js';

/** A mesh behind a load balancer: one more edge, a drain, a crash, ripple restarts. Or plain servers behind the same. */
export async function playFront(stage: Stage): Promise<FrontResult> {
  const { front: name, without } = stage.options;
  if (name === undefined) throw new Error('no front is named');
  const front = name === 'direct' ? undefined : await prepare(stage, name);
  const world = without ? new PlainWorld(stage, front) : await meshBehind(stage, name, front);
  const steps = await playSteps(world, {
    fail: (what) => stage.fail(what),
    faultsOf: (nodes) => (without ? [] : faultsOfNodes(nodes, choiceOf(name), world.clients)),
  });
  const outcome = await world.finish();
  const tickets = world instanceof MeshWorld ? await tryTickets(world.tickets()) : [];
  if (!without)
    for (const fault of [...faultsOfOutcome(outcome), ...faultsOfTickets(tickets)]) stage.fail(fault);
  return {
    scenario: 'front',
    front: name,
    without,
    held: stage.failures.length === 0,
    failures: stage.failures,
    sdk: stage.options.sessions,
    bare: stage.options.bare,
    steps,
    outcome,
    tickets,
  };
}

async function prepare(stage: Stage, name: FrontName): Promise<Front> {
  const front = await Front.prepare(name, { logDir: join(stateDir, 'story-front') });
  stage.atEnd(() => front.stop());
  return front;
}

async function meshBehind(stage: Stage, name: StoryFront, front: Front | undefined): Promise<World> {
  const reaches = choiceOf(name) === 'named';
  await stage.set(
    { ...(!reaches && { EVENKEEL_REACHABILITY_URL: 'off' }) },
    front === undefined
      ? {}
      : {
          publicUrl: front.publicUrl,
          hasAgents: 'asksAgents' in front.kind && front.kind.asksAgents === true,
        },
  );
  const watch = await watchStats(stage.amqpUrl);
  stage.atEnd(() => watch.close());
  const world = new MeshWorld(stage, name, front, watch);
  await world.load();
  return world;
}
