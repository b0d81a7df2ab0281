import { setTimeout as sleep } from 'node:timers/promises';
import type { Act } from '../delivery/run/conditions.js';
import type { Stage } from '../delivery/run/stage.js';
import type { Fault } from './fault.js';
import { faults } from './faults.js';
import { type Planned, scheduleText } from './schedule.js';

/** After the last fault, before it is asked whether all is well: what takes longer to heal shows as a client that is not there. */
const healMs = 10_000;

/** Does what a schedule says. */
export function playing(schedule: readonly Planned[]): Act {
  return async (stage) => {
    await Promise.all(schedule.map((each) => one(stage, each)));
    await sleep(healMs);
    return scheduleText(schedule);
  };
}

/** @throws Error when nothing shows that it happened, or it could not be put right. */
async function one(stage: Stage, { name, atMs, forMs }: Planned): Promise<void> {
  const { recorder } = stage;
  await sleep(atMs);
  recorder.add({ kind: 'condition', name, phase: 'begin' });
  const held = await (faults[name] as Fault).begin(stage);
  await sleep(forMs);
  const detail = await held.end();
  recorder.add({ kind: 'condition', name, phase: 'end' });
  if (detail === undefined) throw new Error(`nothing shows that ${name} happened`);
  recorder.add({ kind: 'condition', name, phase: 'shown', detail });
}
