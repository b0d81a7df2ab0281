import { type BrokerNode, type Edge, queuesThatLackReplicas } from '@evenkeel/local';
import { edgeKey, exchanges } from '@evenkeel/protocol';
import { eventually } from '@evenkeel/testkit';
import { connect } from 'amqplib';
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

/** As an upgrade does it: each ends in order and boots again, once no queue needs it. */
const inTurn: Fault['begin'] = async ({ broker: { nodes = [] } }) => {
  const before = nodes.map(({ pid }) => pid);
  for (const node of nodes) {
    const isSpare = async () => (await queuesThatLackReplicas(node)) === 0;
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

const listOf = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join()}]`;

/** Erlang: this node and `others` do not know each other any more, whoever dials: each expects another cookie than it is shown. */
const parting = (others: readonly string[]): string =>
  `Others = ${listOf(others)},
  [rpc:call(Other, erlang, set_cookie, [node(), there]) || Other <- Others],
  [erlang:set_cookie(Other, here) || Other <- Others],
  [erlang:disconnect_node(Other) || Other <- Others].`;

/** Erlang: the node that it is said to may be met by those again. */
const meeting = (others: readonly string[]): string =>
  `[erlang:set_cookie(Other, erlang:get_cookie()) || Other <- ${listOf(others)}].`;

/** Whether RabbitMQ runs in its process: that of a node without a majority pauses (`pause_minority`). */
const isServing = async (node: BrokerNode): Promise<boolean> =>
  (await node.ctl(['eval', 'rabbit:is_running().'])).trim() === 'true';

/** The network parts it from the others. Each of its clients reaches it as before. */
const parted: Fault['begin'] = async (stage) => {
  const node = nodeOf(stage);
  const others = (stage.broker.nodes ?? []).filter((other) => other !== node);
  const names = others.map(({ name }) => name);
  await node.ctl(['eval', parting(names)]);
  return {
    end: async () => {
      const serves = (each: BrokerNode) => isServing(each).catch(() => false);
      const isPaused = !(await serves(node));
      const areServing = (await Promise.all(others.map(serves))).every(Boolean);
      await Promise.all([
        node.ctl(['eval', meeting(names)]),
        ...others.map((other) => other.ctl(['eval', meeting([node.name])])),
      ]);
      await eventually(`${node.name} serves again`, () => isServing(node), 60_000);
      return isPaused && areServing ? `${node.name} was alone and paused, the others served` : undefined;
    },
  };
};

interface Addresses {
  readonly brokers?: { readonly at: readonly string[] };
}

/** The address of the broker that an edge is connected to; undefined: none, or it does not answer. */
async function addressOf({ opsUrl }: Edge): Promise<string | undefined> {
  const response = await fetch(`${opsUrl}/status`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  );
  return ((await response?.json()) as Addresses | undefined)?.brokers?.at[0];
}

/** Edges leave the broker that they are connected to, with their sessions' queues, though nobody has drained them. */
const left: Fault['begin'] = async ({ broker, mesh: { edges } }) => {
  const told: { readonly edge: Edge; readonly from: string }[] = [];
  const tell = async (): Promise<void> => {
    const link = await connect(broker.urlFor('balancer').split(',')[turn++ % 3] ?? '');
    link.on('error', () => undefined);
    const channel = await link.createConfirmChannel();
    for (const edge of edges) {
      const from = await addressOf(edge);
      if (from === undefined) continue;
      const command = { command: 'leave-broker', broker: from, connections: true };
      channel.publish(exchanges.control, edgeKey(edge.node), Buffer.from(JSON.stringify(command)), {
        userId: 'balancer',
      });
      told.push({ edge, from });
    }
    await channel.waitForConfirms();
    await link.close();
  };
  const hasTold = async (): Promise<boolean> => {
    await tell().catch(() => undefined);
    return told.length > 0;
  };
  await eventually('an edge is told to leave', hasTold, 20_000);
  return {
    end: async () => {
      // Another fault may keep it from any other broker for a while.
      const isElsewhere = async ({ edge, from }: (typeof told)[number]) => {
        const address = await addressOf(edge);
        return address !== undefined && address !== from;
      };
      const haveLeft = async () => (await Promise.all(told.map(isElsewhere))).includes(true);
      const isShown = await eventually('an edge has left', haveLeft, 20_000).catch(() => false);
      return isShown ? `${told.map(({ edge, from }) => `${edge.node} left ${from}`).join(', ')}` : undefined;
    },
  };
};

export const nodes = {
  'node-killed': { part: 'broker', on: 'cluster', holdMs: 6_000, begin: killed },
  'node-frozen': { part: 'broker', on: 'cluster', holdMs: 8_000, begin: frozen },
  'node-parted': { part: 'broker', on: 'cluster', holdMs: 12_000, begin: parted },
  'nodes-restarted-in-turn': { part: 'broker', on: 'cluster', holdMs: 1_000, begin: inTurn },
  'node-left': { part: 'addresses', on: 'cluster', holdMs: 6_000, begin: left },
} as const satisfies Readonly<Record<string, Fault>>;
