import { setTimeout as sleep } from 'node:timers/promises';
import type { Act } from '../delivery/run/conditions.js';
import type { Fault } from '../delivery/run/fault.js';
import { faults } from '../delivery/run/faults.js';
import type { Stage } from '../delivery/run/stage.js';
import { type Planned, scheduleText } from './schedule.js';

/** After the last fault, before it is asked whether all is well: what takes longer to heal shows as a client that is not there. */
const healMs = 10_000;

/** Does what a schedule says. */
export function playing(schedule: readonly Planned[]): Act {
  return async (stage) => {
    const free = new Map<Fault['part'], Promise<void>>();
    const all = schedule.map((planned) => {
      const fault = faults[planned.name] as Fault;
      // One that takes long to begin, as a broker does that starts anew, makes the next of its part wait.
      const done = one(stage, planned, fault, free.get(fault.part));
      free.set(fault.part, done);
      return done;
    });
    // One that fails leaves the others to put right what they have done.
    const failed = (await Promise.allSettled(all)).find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
    await sleep(healMs);
    return scheduleText(schedule);
  };
}

/** @throws Error when nothing shows that it happened, or it could not be put right. */
async function one(
  stage: Stage,
  { name, atMs, forMs }: Planned,
  fault: Fault,
  before: Promise<void> | undefined,
): Promise<void> {
  const { recorder } = stage;
  await Promise.all([sleep(atMs), before]);
  recorder.add({ kind: 'condition', name, phase: 'begin' });
  const held = await fault.begin(stage);
  await sleep(forMs);
  const detail = await held.end();
  recorder.add({ kind: 'condition', name, phase: 'end' });
  if (detail === undefined) throw new Error(`nothing shows that ${name} happened`);
  recorder.add({ kind: 'condition', name, phase: 'shown', detail });
}
