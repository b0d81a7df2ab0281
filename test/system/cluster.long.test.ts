import { type Mesh, startMesh } from '@evenkeel/local';
import { queues } from '@evenkeel/protocol';
import { createOperator } from 'evenkeel';
import { expect, it, onTestFinished, vi } from 'vitest';
import { clusterForFile } from '../support/cluster.js';

const cluster = clusterForFile();
const patience = { timeout: 40_000, interval: 500 };

/** Nodes on which this queue is kept and served now. */
async function replicasOf(queue: string): Promise<string[]> {
  const listed = await cluster.broker.ctl(['list_queues', 'name', 'online']);
  const row = listed.split('\n').find((line) => line.startsWith(`${queue}\t`)) ?? '';
  return row.match(/[\w-]+@localhost/g) ?? [];
}

/** `/readyz` of every process. */
async function unready(mesh: Mesh): Promise<string[]> {
  const answers = await Promise.all(
    mesh.members.map(async ({ name, opsUrl }) => {
      const response = await fetch(`${opsUrl}/readyz`).catch(() => undefined);
      return response?.status === 200 ? [] : [`${name}: ${await response?.text()}`];
    }),
  );
  return answers.flat();
}

it('the mesh is led and commanded, and remembers who is kept out and that it is paused, whichever node of three is lost', async () => {
  const { broker } = cluster;
  const { amqpUrl, urlFor } = broker;
  const mesh = await startMesh({ edges: 2, balancer: 2, amqpUrl, urlFor });
  onTestFinished(() => mesh.stop());
  const operator = await createOperator({ amqpUrl: urlFor('operator'), timeoutMs: 5_000 });
  onTestFinished(() => operator.close());

  const types = await broker.ctl(['list_queues', 'name', 'type']);
  for (const name of [queues.manage, queues.dropped, queues.topics, queues.ask, 'mesh.plan'])
    expect(types).toContain(`${name}\tquorum`);

  await vi.waitFor(() => operator.pause(), patience);
  for (const [n, node] of broker.nodes.entries()) {
    await operator.deny({ user: `user-${n}` });
    await node.kill();
    await vi.waitFor(async () => expect(await unready(mesh)).toEqual([]), patience);
    const status = await vi.waitFor(() => operator.status(), patience);
    expect(status.isPaused).toBe(true);
    await vi.waitFor(() => operator.cordon({ nodes: ['edge-2'] }), patience);
    await vi.waitFor(() => operator.uncordon({ nodes: ['edge-2'] }), patience);
    await node.restart();
    // Who restarts nodes by hand waits for this too (`rabbitmq-queues check_if_node_is_quorum_critical`).
    await vi.waitFor(
      async () => expect(await replicasOf(queues.manage)).toHaveLength(broker.nodes.length),
      patience,
    );
    const kept = await vi.waitFor(() => operator.denials(), patience);
    expect(kept.denials.map(({ user }) => user).sort()).toEqual(
      broker.nodes.slice(0, n + 1).map((_, at) => `user-${at}`),
    );
  }
});
