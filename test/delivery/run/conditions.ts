import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const limits = JSON.stringify({ 'max-length': 20, 'message-ttl': 2000 });
  await stage.broker.ctl(['set_policy', 'delivery', '^session[.]', limits, '--apply-to', 'queues']);
  await sleep(8000);
  stage.tell({ burst: 60 });
  await sleep(8000);
  const listed = await stage.broker.ctl(['list_queues', 'name', 'policy', '--no-table-headers']);
  const held = listed.split('\n').filter((line) => /^session.*delivery/.test(line)).length;
  await stage.broker.ctl(['clear_policy', 'delivery']);
  return held > 0 ? `the policy held for ${held} queues` : undefined;
};

const edgeWithoutBroker: Act = async ({ proxy }) => {
  proxy.refuse();
  const cut = proxy.cut();
  await sleep(4000);
  const left = proxy.connections;
  proxy.allow();
  await sleep(8000);
  return cut > 0 && left === 0 ? `${cut} connections were cut, none for 4 s` : undefined;
};

const edgeStalled: Act = async ({ edge }) => {
  const stateOf = (): string => /\) (\w)/.exec(readFileSync(`/proc/${edge.pid}/stat`, 'utf8'))?.[1] ?? '';
  edge.pause();
  await sleep(13_000);
  const state = stateOf();
  edge.resume();
  await sleep(8000);
  return state === 'T' ? `${edge.node} was stopped for 13 s` : undefined;
};

const brokerEmptied: Act = async ({ broker }) => {
  await broker.ctl(['stop_app']);
  await broker.ctl(['reset']);
  await broker.ctl(['start_app']);
  const events = await broker.ctl(['list_exchanges', 'name', '--no-table-headers']);
  await sleep(12_000);
  return events.includes('mesh.events') ? 'stopped, reset, and back with its definitions' : undefined;
};

const brokerRestarted: Act = async ({ broker }) => {
  const before = broker.pid;
  const end = broker.ended();
  await broker.restart();
  await sleep(10_000);
  return before === undefined || before !== broker.pid
    ? `it ended (${await end}), and runs again`
    : undefined;
};

const memoryAlarm: Act = async ({ broker }) => {
  await broker.ctl(['set_vm_memory_high_watermark', '0.00001']);
  await sleep(6000);
  const alarms = await broker.ctl(['eval', 'rabbit_alarm:get_alarms().']);
  await broker.ctl(['set_vm_memory_high_watermark', '0.6']);
  await sleep(8000);
  return alarms.includes('memory') ? 'the alarm was raised for 6 s' : undefined;
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
  'edge-without-broker': edgeWithoutBroker,
  'edge-stalled': edgeStalled,
  'broker-emptied': brokerEmptied,
  'broker-restarted': brokerRestarted,
  'memory-alarm': memoryAlarm,
  'clock-steps': clockSteps,
};
