import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.js';
import { faults } from './faults.js';
import { limitQueues } from './objects.js';
import { maxLength, type Stage } from './stage.js';

/** Does something to a mesh under traffic, and puts it right; returns what shows that it happened, or undefined. */
export type Act = (stage: Stage) => Promise<string | undefined>;

/** Messages of each session's queue. */
async function lengths({ broker }: Stage): Promise<number[]> {
  const listed = await broker.ctl(['list_queues', 'name', 'messages', '--no-table-headers']);
  return listed
    .split('\n')
    .filter((line) => line.startsWith('session.'))
    .map((line) => Number(line.split('\t')[1]));
}

const overflow: Act = async (stage) => {
  let fullest = 0;
  for (let n = 0; n < 3; n++) {
    stage.tell({ burst: maxLength * 2 });
    fullest = Math.max(fullest, ...(await lengths(stage)));
    await sleep(3000);
  }
  return fullest >= maxLength ? `a queue of ${maxLength} held ${fullest}` : undefined;
};

const expiry: Act = async (stage) => {
  stage.tell({ expiration: 1500 });
  await sleep(16_000);
  stage.tell({ expiration: null });
  const { lines } = stage.recorder;
  const slept = lines.filter((line) => line.kind === 'close' && line.by === 'cut').length;
  return slept > 0 ? `${slept} sockets were lost while messages lived for 1.5 s` : undefined;
};

const policy: Act = async (stage) => {
  const clear = await limitQueues(stage, 'delivery', { 'max-length': 20, 'message-ttl': 2000 });
  await sleep(8000);
  stage.tell({ burst: 60 });
  await sleep(8000);
  const listed = await stage.broker.ctl(['list_queues', 'name', 'policy', '--no-table-headers']);
  const held = listed.split('\n').filter((line) => /^session.*delivery/.test(line)).length;
  await clear();
  return held > 0 ? `the policy held for ${held} queues` : undefined;
};

/** One fault, for as long as it holds, and time to heal. */
const alone =
  (name: string, healMs: number): Act =>
  async (stage) => {
    const { begin, holdMs } = faults[name] as Fault;
    const held = await begin(stage);
    await sleep(holdMs);
    const shown = await held.end();
    await sleep(healMs);
    return shown;
  };

const clockSteps: Act = async ({ clocks, mesh }) => {
  const names = ['gateway', 'balancer', ...mesh.edges.map(({ node }) => node)];
  const minute = 60_000;
  for (const step of [-10 * minute, -5000, 20_000, 60 * minute]) {
    for (const name of names) {
      writeFileSync(join(clocks, name), String(step));
      await sleep(2500);
      writeFileSync(join(clocks, name), '0');
      await sleep(300);
    }
  }
  const seen = names.filter((name) => {
    const file = join(clocks, `${name}.seen`);
    return existsSync(file) && readFileSync(file, 'utf8').trim().split('\n').length >= 8;
  });
  return seen.length === names.length ? `four steps and back in ${seen.join(', ')}` : undefined;
};

export const conditions: Readonly<Record<string, Act>> = {
  overflow,
  expiry,
  'policy-limits': policy,
  'edge-without-broker': alone('edge-without-broker', 8_000),
  'edge-stalled': alone('edge-stalled', 8_000),
  'broker-emptied': alone('broker-emptied', 11_000),
  'broker-restarted': alone('broker-restarted', 9_000),
  'memory-alarm': alone('memory-alarm', 8_000),
  'clock-steps': clockSteps,
};
