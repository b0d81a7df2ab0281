import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Member } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { metric } from '../../support/metric.js';
import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

type Which = (stage: Stage) => Member;

/** Of a process: `T` is a stopped one. */
export function stateOf(pid: number | null): string {
  if (pid === null) return '';
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
}

/** It ends without a word; after a while another is started in its place. */
const killed =
  (which: Which): Fault['begin'] =>
  async (stage) => {
    const member = which(stage);
    const before = member.pid;
    await member.kill();
    return {
      end: async () => {
        await member.restart();
        return member.pid === before ? undefined : `process ${before} was killed`;
      },
    };
  };

/** It stands still, and keeps everything that it has. */
const stalled =
  (which: Which): Fault['begin'] =>
  async (stage) => {
    const member = which(stage);
    member.pause();
    return {
      end: async () => {
        const state = stateOf(member.pid);
        member.resume();
        return state === 'T' ? `process ${member.pid} stood still` : undefined;
      },
    };
  };

/** It is restarted in order. */
const restarted =
  (which: Which): Fault['begin'] =>
  async (stage) => {
    const member = which(stage);
    const before = member.pid;
    await member.restart();
    return {
      end: async () =>
        member.pid === before ? undefined : `process ${before} was followed by ${member.pid}`,
    };
  };

const edge: Which = (stage) => stage.edge;
/** There are two: nobody plans only without both. */
const bothBalancers =
  (fault: (which: Which) => Fault['begin']): Fault['begin'] =>
  async (stage) => {
    const held = await Promise.all(
      stage.mesh.balancers.map((_, n) => fault(({ mesh }) => mesh.balancers[n] as Member)(stage)),
    );
    return {
      end: async () => {
        const shown = await Promise.all(held.map((each) => each.end()));
        return shown.includes(undefined) ? undefined : shown.join(', ');
      },
    };
  };

const leads = async (balancer: Member): Promise<boolean> =>
  (await metric(balancer, 'evenkeel_balancer_leading')) === 1;

/** Who leads stands still until another does; then it goes on as if nothing had been. */
const twoLeaders: Fault['begin'] = async ({ mesh: { balancers } }) => {
  const leading = await Promise.all(balancers.map((each) => leads(each)));
  const first = balancers[leading.indexOf(true)];
  const second = balancers.find((each) => each !== first);
  if (first === undefined || second === undefined) throw new Error('no balancer leads');
  first.pause();
  return {
    end: async () => {
      // However short it was to be.
      const follows = () => leads(second).catch(() => false);
      const hasFollowed = await eventually(`${second.name} leads`, follows, 20_000).catch(() => false);
      const state = stateOf(first.pid);
      first.resume();
      return hasFollowed && state === 'T' ? `${first.name} led, then ${second.name}, then both` : undefined;
    },
  };
};

/** It gets on for a moment now and then, as on a machine that has far too much to do. */
const stuttering: Fault['begin'] = async ({ edge }) => {
  let stops = 0;
  const stop = (): void => {
    if (!edge.isRunning) return;
    edge.pause();
    if (stateOf(edge.pid) !== '') stops += 1;
    setTimeout(() => edge.resume(), 400);
  };
  const timer = setInterval(stop, 500);
  return {
    end: async () => {
      clearInterval(timer);
      edge.resume();
      return stops > 0 ? `process ${edge.pid} was stopped ${stops} times` : undefined;
    },
  };
};

/** It can open nothing any more, and its clients dial it anew. */
const withoutDescriptors: Fault['begin'] = async ({ edge, clients }) => {
  const { pid } = edge;
  const open = (): number => readdirSync(`/proc/${pid}/fd`).length;
  const limit = () => /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1];
  const before = limit();
  const most = open();
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:`]);
  for (const client of clients) if (client.node === edge.node) client.cut();
  return {
    end: async () => {
      const [has, may] = [open(), limit()];
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${before}:`]);
      return may === String(most) ? `it had ${has} of ${may} descriptors` : undefined;
    },
  };
};

const gateway: Which = ({ mesh }) => mesh.gateway;

/** Room comes and goes again, in order. */
const edgeJoins: Fault['begin'] = async ({ mesh }) => {
  const added = await mesh.addEdge();
  return {
    end: async () => {
      await mesh.removeEdge(added);
      return `${added.node} came and went`;
    },
  };
};

/** One more edge has less memory than it takes: clients come to it, and are sent away again, before it keeps newcomers off. */
const shortOfMemory: Fault['begin'] = async ({ mesh }) => {
  const added = await mesh.addEdge({ EVENKEEL_MEMORY_LIMIT_BYTES: '1000000' });
  return {
    end: async () => {
      const isLow = async () => (await metric(added, 'evenkeel_memory_low')) === 1;
      // However short it was to be.
      const hasKeptOff = await eventually('its memory is low', isLow, 10_000).catch(() => false);
      await mesh.removeEdge(added);
      return hasKeptOff ? `${added.node} had too little memory` : undefined;
    },
  };
};

/** Another is started by the same name: it waits for this one to end, and gives up. */
const nameTaken: Fault['begin'] = async ({ mesh, edge }) => {
  const given = { EVENKEEL_NODE: edge.node, EVENKEEL_NAME_WAIT_MS: '2000' };
  const ended = mesh.addEdge(given).then(
    // Where the first one was cut off meanwhile it has the name.
    async (added) => {
      await mesh.removeEdge(added);
      return `a second ${edge.node} came and went`;
    },
    (error: unknown) =>
      String(error).includes('Another edge is called') ? `a second ${edge.node} gave up` : undefined,
  );
  return { end: () => ended };
};

export const processes = {
  'edge-killed': { part: 'edge', holdMs: 3_000, begin: killed(edge) },
  'edge-stalled': { part: 'edge', holdMs: 13_000, begin: stalled(edge) },
  'edge-stalled-shortly': { part: 'edge', holdMs: 4_000, begin: stalled(edge) },
  'edge-restarted': { part: 'edge', holdMs: 1_000, begin: restarted(edge) },
  'edge-stuttering': { part: 'edge', holdMs: 8_000, begin: stuttering },
  'edge-without-descriptors': { part: 'edge', holdMs: 5_000, begin: withoutDescriptors },
  'edge-name-taken': { part: 'edge', holdMs: 4_000, begin: nameTaken },
  'edge-joins-and-leaves': { part: 'edge', holdMs: 6_000, begin: edgeJoins },
  'edge-memory': { part: 'edge', holdMs: 12_000, begin: shortOfMemory },
  'balancer-killed': { part: 'balancer', holdMs: 5_000, begin: bothBalancers(killed) },
  'balancer-stalled': { part: 'balancer', holdMs: 15_000, begin: bothBalancers(stalled) },
  'two-leaders': { part: 'balancer', holdMs: 8_000, begin: twoLeaders },
  'gateway-killed': { part: 'gateway', holdMs: 4_000, begin: killed(gateway) },
  'gateway-stalled': { part: 'gateway', holdMs: 6_000, begin: stalled(gateway) },
} as const satisfies Readonly<Record<string, Fault>>;
