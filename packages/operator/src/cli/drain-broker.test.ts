import type { NodeStatus } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
import { TestTerminal } from '../../testing/printed.js';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { drainBroker } from './drain-broker.js';

const [mq1, mq2] = ['mq1:5672', 'mq2:5672'] as const;

/** Edges that do what they are told at once, or never. */
class MeshAt {
  readonly calls: string[] = [];
  readonly nodes: NodeStatus[];
  queues = 2;
  /** Queues that leave with each look. */
  perLook = 1;
  nowMs = 0;
  /** So often an edge takes no command once it has connected elsewhere. */
  deafLooks = 0;
  /** When one was told to take clients again. */
  readonly uncordonsAtMs: number[] = [];
  /** So many looks the balancer has just begun to lead, and knows no edge. */
  newLooks = 0;

  constructor(...edges: [node: string, at: string][]) {
    this.nodes = edges.map(([node, at]) => ({
      ...{ node, url: `ws://${node}`, state: 'active', version: '1', connections: 3, sessions: 3 },
      brokers: { known: [mq1, mq2], at: [at] },
    }));
  }

  readonly #pass = async (ms: number) => {
    this.nowMs += ms;
  };
  /** As of a process: once it is interrupted, no sleep lasts. */
  readonly terminal = Object.assign(new TestTerminal(), {
    sleep: async (ms: number) => {
      if (!this.terminal.isInterrupted) await this.#pass(ms);
    },
  });

  readonly operator = {
    status: async () => {
      this.newLooks -= 1;
      if (this.newLooks >= 0) return { ok: true, leader: 'b', plan: null, isComplete: false, nodes: [] };
      this.queues = Math.max(0, this.queues - this.perLook);
      const leaving = { broker: mq2, queues: this.queues };
      const nodes = this.nodes.map((each, n) => ({
        ...each,
        leaving: n === 0 ? leaving : { broker: mq2, queues: 0 },
      }));
      return { ok: true, leader: 'b', plan: null, nodes };
    },
    drain: async ({ node }: { node: string }) => {
      this.calls.push(`drain ${node}`);
      Object.assign(this.#node(node), { state: 'cordoned', sessions: 0 });
      return { ok: true, plan: {} };
    },
    uncordon: async ({ node }: { node: string }) => {
      this.deafLooks -= 1;
      this.uncordonsAtMs.push(this.nowMs);
      if (this.deafLooks >= 0) throw new OperatorError('node-unreachable', 'it takes no commands');
      this.calls.push(`uncordon ${node}`);
      this.#node(node).state = 'active';
    },
    leaveBroker: async ({ broker, node }: { broker: string; node?: string }) => {
      if (broker !== mq2 && broker !== 'mq2') throw new OperatorError('unknown-broker', 'there are …');
      if (node !== undefined) {
        this.calls.push(`leave ${node}`);
        this.#node(node).brokers = { known: [mq1, mq2], at: [mq1] };
      }
      return { ok: true, broker: mq2, nodes: [] };
    },
  } as unknown as Operator;

  #node(name: string): NodeStatus {
    const node = this.nodes.find((each) => each.node === name);
    if (node === undefined) throw new Error(`no ${name}`);
    return node;
  }

  drain(broker: string) {
    return drainBroker(this.operator, broker, this.terminal, () => this.nowMs, this.#pass);
  }
}

it('has each edge that is connected there connect elsewhere while it is empty, one by one, and waits for the queues', async () => {
  const mesh = new MeshAt(['edge-1', mq2], ['edge-2', mq1], ['edge-3', mq2]);
  mesh.queues = 30;
  const drained = await mesh.drain('mq2');
  expect(drained).toMatchObject({ ok: true, broker: mq2, reconnected: ['edge-1', 'edge-3'] });
  expect(drained.queues).toBeGreaterThan(0);
  expect(mesh.calls).toEqual([
    ...['drain edge-1', 'leave edge-1', 'uncordon edge-1'],
    ...['drain edge-3', 'leave edge-3', 'uncordon edge-3'],
  ]);
});

it('lets an edge take clients again that takes no commands at first, and that it could not drain', async () => {
  const mesh = new MeshAt(['edge-1', mq2], ['edge-2', mq1]);
  mesh.deafLooks = 3;
  await mesh.drain('mq2');
  expect(mesh.calls).toEqual(['drain edge-1', 'leave edge-1', 'uncordon edge-1']);

  const busy = new MeshAt(['edge-1', mq2], ['edge-2', mq1]);
  busy.operator.drain = async () => {
    throw new OperatorError('no-target', 'nobody takes them');
  };
  await expect(busy.drain('mq2')).rejects.toMatchObject({ code: 'no-target' });
  expect(busy.calls).toEqual(['uncordon edge-1']);
});

it('waits for a new leader to know every edge: it does not take one that it does not know for not connected', async () => {
  const mesh = new MeshAt(['edge-1', mq2], ['edge-2', mq1]);
  mesh.newLooks = 8;
  expect(await mesh.drain('mq2')).toMatchObject({ reconnected: ['edge-1'] });
});

it('pauses between two attempts to let an edge take clients again, also once it is interrupted', async () => {
  const mesh = new MeshAt(['edge-1', mq2], ['edge-2', mq1]);
  mesh.deafLooks = 3;
  mesh.operator.drain = async () => {
    mesh.terminal.isInterrupted = true;
    return { ok: true };
  };
  await expect(mesh.drain('mq2')).rejects.toMatchObject({ code: 'interrupted' });
  expect(mesh.uncordonsAtMs).toEqual([0, 500, 1_000, 1_500]);
  expect(mesh.calls).toEqual(['uncordon edge-1']);
});

it('leaves an edge cordoned that was', async () => {
  const mesh = new MeshAt(['edge-1', mq2], ['edge-2', mq1]);
  Object.assign(mesh.nodes[0] ?? {}, { state: 'cordoned', sessions: 0 });
  await mesh.drain('mq2');
  expect(mesh.calls).toEqual(['drain edge-1', 'leave edge-1']);
});

it('says what stays where it is when nothing of it leaves any more', async () => {
  const mesh = new MeshAt(['edge-1', mq1], ['edge-2', mq1]);
  mesh.perLook = 0;
  await expect(mesh.drain('mq2')).rejects.toThrow(/^2 queues of sessions may be on mq2:5672 still/);
  expect(mesh.nowMs).toBeGreaterThan(60_000);
});

it('passes on that there is no such broker', async () => {
  await expect(new MeshAt(['edge-1', mq1]).drain('mq9')).rejects.toMatchObject({ code: 'unknown-broker' });
});
