import type { Mesh } from '@evenkeel/mesh';
import type { EdgeReply } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { statsOf } from '../../testing/stats.js';
import { ClusterState } from '../core/cluster/state.js';
import { EdgeQueries, heardOf } from './edge-queries.js';

/** e1 is heard, e2 has been silent for 5 s and e3 for 20 s. */
function nodes() {
  const view = new ClusterState();
  for (let second = 1; second <= 30; second += 1) {
    view.observe(statsOf('e1', second), second * 1_000);
    if (second <= 25) view.observe(statsOf('e2', second), second * 1_000);
    if (second <= 10) view.observe(statsOf('e3', second), second * 1_000);
  }
  return view.nodes(30_000);
}

/** Edges of which those named answer at once. */
function queries(...answering: string[]): EdgeQueries {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let take: (reply: EdgeReply) => void = () => {};
  const control = {
    replies: (_id: string, onReply: typeof take) => {
      take = onReply;
    },
    sendToAll: async ({ ask }: { ask: string }) => {
      for (const node of answering) take({ ask, node, boot: 'b', sessions: [] });
      return 'routed';
    },
  };
  return new EdgeQueries({ control } as unknown as Mesh, 'b1');
}

it('names an edge that is silent, and none that is gone', async () => {
  const found = queries('e1').ask({ command: 'where', uid: 'alice' }, nodes());
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await found).toMatchObject({ answered: 1, missing: ['e2'] });
});

it('counts the answer of one that was silent until now', async () => {
  const found = queries('e1', 'e2').ask({ command: 'disconnect', uid: 'alice' }, nodes());
  await vi.advanceTimersByTimeAsync(0);
  expect(await found).toMatchObject({ answered: 2, missing: [] });
});

it('waits for no silent edge where only those that are heard are asked for', async () => {
  const found = queries('e1').ask({ command: 'where', uid: 'alice' }, heardOf(nodes()));
  await vi.advanceTimersByTimeAsync(0);
  expect(await found).toMatchObject({ answered: 1, missing: [] });
});
