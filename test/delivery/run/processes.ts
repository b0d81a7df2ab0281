import { readFileSync } from 'node:fs';
import type { Member } from '@evenkeel/local';
import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

type Which = (stage: Stage) => Member;

/** Of a process: `T` is a stopped one. */
function stateOf(pid: number): string {
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
const balancer: Which = ({ mesh }) => {
  const [first] = mesh.balancers;
  if (first === undefined) throw new Error('there is no balancer');
  return first;
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

export const processes = {
  'edge-killed': { part: 'edge', holdMs: 3_000, begin: killed(edge) },
  'edge-stalled': { part: 'edge', holdMs: 13_000, begin: stalled(edge) },
  'edge-stalled-shortly': { part: 'edge', holdMs: 4_000, begin: stalled(edge) },
  'edge-restarted': { part: 'edge', holdMs: 1_000, begin: restarted(edge) },
  'edge-joins-and-leaves': { part: 'edge', holdMs: 6_000, begin: edgeJoins },
  'balancer-killed': { part: 'balancer', holdMs: 5_000, begin: killed(balancer) },
  'balancer-stalled': { part: 'balancer', holdMs: 15_000, begin: stalled(balancer) },
  'gateway-killed': { part: 'gateway', holdMs: 4_000, begin: killed(gateway) },
  'gateway-stalled': { part: 'gateway', holdMs: 6_000, begin: stalled(gateway) },
} as const satisfies Readonly<Record<string, Fault>>;
