import type { BrokerNode } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import type { Fault } from './fault.js';
import { stateOf } from './processes.js';
import type { Stage } from './stage.js';

/** Another one each time: which sessions, queues and connections live there differs. */
let turn = 0;

function nodeOf({ broker: { nodes = [] } }: Stage): BrokerNode {
  const node = nodes[turn++ % nodes.length];
  if (node === undefined) throw new Error('the broker is no cluster: --brokers 3');
  return node;
}

/** It ends as in a power cut, and boots again with its data. */
const killed: Fault['begin'] = async (stage) => {
  const node = nodeOf(stage);
  const before = node.pid;
  await node.kill();
  return {
    end: async () => {
      await node.restart();
      return node.pid === before ? undefined : `${node.name} was killed, and is back`;
    },
  };
};

/** Its process stands still: for the others it is there, and does not answer. */
const frozen: Fault['begin'] = async (stage) => {
  const { pid, name } = nodeOf(stage);
  process.kill(pid, 'SIGSTOP');
  return {
    end: async () => {
      const state = stateOf(pid);
      process.kill(pid, 'SIGCONT');
      return state === 'T' ? `${name} stood still` : undefined;
    },
  };
};

/** How many queues on several nodes, streams too, lack one of theirs: without another they may have no majority. */
async function incomplete(node: BrokerNode): Promise<number> {
  const listed = await node.ctl(['list_queues', 'type', 'members', 'online', '--no-table-headers']);
  const countOf = (list = ''): number => list.split('@').length;
  return listed
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([type, members, online]) => type !== 'classic' && countOf(members) !== countOf(online)).length;
}

/** As an upgrade does it: each ends in order and boots again, once no queue needs it. */
const inTurn: Fault['begin'] = async ({ broker: { nodes = [] } }) => {
  const before = nodes.map(({ pid }) => pid);
  for (const node of nodes) {
    const isSpare = async () => (await incomplete(node)) === 0;
    await eventually(`no queue needs ${node.name}`, isSpare, 60_000);
    await node.restart();
  }
  return {
    end: async () =>
      nodes.length > 0 && nodes.every(({ pid }, n) => pid !== before[n])
        ? `${nodes.length} nodes were restarted, one after the other`
        : undefined,
  };
};

export const nodes = {
  'node-killed': { part: 'broker', on: 'cluster', holdMs: 6_000, begin: killed },
  'node-frozen': { part: 'broker', on: 'cluster', holdMs: 8_000, begin: frozen },
  'nodes-restarted-in-turn': { part: 'broker', on: 'cluster', holdMs: 1_000, begin: inTurn },
} as const satisfies Readonly<Record<string, Fault>>;
