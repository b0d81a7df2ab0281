import { expect, it } from 'vitest';
import { SmallCluster, type SmallNode } from '../../testing/small-cluster.js';
import { leaveBroker } from './brokers.js';
import type { CommandContext } from './context.js';

const known = ['mq1:5672', 'mq2:5672', 'mq2:5673', 'mq3:5671'];
const brokers = { known, at: ['mq1:5672'] };

function told(edges: Record<string, Partial<SmallNode['stats']>>, outcome: 'routed' | 'unrouted' = 'routed') {
  const cluster = new SmallCluster(
    Object.fromEntries(
      Object.entries(edges).map(([node, stats]) => [node, { sessions: stats.sessions ?? 3, stats }]),
    ),
  );
  cluster.play(2);
  const sent: [node: string, command: object][] = [];
  const c = {
    balancer: cluster.balancer,
    nowMs: cluster.nowMs,
    sendToEdge: async (node: string, command: object) => {
      sent.push([node, command]);
      return outcome;
    },
  } as unknown as CommandContext;
  const leave = (broker: string, node?: string) =>
    leaveBroker({ command: 'leave-broker', broker, ...(node && { node }) }, c);
  return { leave, sent };
}

it('tells every edge, by the whole name of a broker or by its host', async () => {
  const { leave, sent } = told({ e1: { brokers }, e2: { brokers } });
  const answer = { ok: true, broker: 'mq3:5671', nodes: ['e1', 'e2'] };
  expect([await leave('mq3:5671'), await leave('mq3')]).toEqual([answer, answer]);
  expect(sent.slice(0, 2)).toEqual(
    ['e1', 'e2'].map((node) => [node, { command: 'leave-broker', broker: 'mq3:5671' }]),
  );
});

it('has one edge give up its connections once that is empty and takes nobody', async () => {
  const empty = { brokers, sessions: 0, state: 'cordoned' } as const;
  const { leave, sent } = told({ e1: empty, e2: { brokers } });
  await leave('mq1', 'e1');
  expect(sent).toEqual([['e1', { command: 'leave-broker', broker: 'mq1:5672', connections: true }]]);
  await expect(leave('mq1', 'e2')).rejects.toMatchObject({ code: 'not-empty' });
});

it('says which brokers there are, and which edge knows too few', async () => {
  const { leave, sent } = told({ e1: { brokers }, e2: {} });
  await expect(leave('mq9')).rejects.toThrow(/no edge has a broker mq9; there are mq1:5672, mq2:5672/);
  await expect(leave('mq2')).rejects.toThrow('mq2 may be mq2:5672 or mq2:5673');
  await expect(leave('mq1')).rejects.toMatchObject({ code: 'one-broker' });
  await expect(told({ e1: {} }).leave('mq1')).rejects.toMatchObject({
    code: 'unknown-broker',
  });
  expect(sent).toEqual([]);
});

it('says that an edge takes no commands', async () => {
  const { leave } = told({ e1: { brokers } }, 'unrouted');
  await expect(leave('mq1')).rejects.toMatchObject({ code: 'node-unreachable' });
});
