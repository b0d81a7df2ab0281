import type { Edge } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';

/** What an edge says of itself: its last report, one a second. */
export async function statusOf({ opsUrl }: Edge): Promise<{ seq: number; rssBytes: number }> {
  return (await (await fetch(`${opsUrl}/status`)).json()) as { seq: number; rssBytes: number };
}

/** Resolves when each of the edges has reported so many times more. */
export async function moreReports(edges: readonly Edge[], count: number): Promise<void> {
  await Promise.all(
    edges.map(async (edge) => {
      const { seq } = await statusOf(edge);
      const hasReported = async (): Promise<boolean> => (await statusOf(edge)).seq >= seq + count;
      await eventually(`${edge.node} reports ${count} times`, hasReported, 30_000);
    }),
  );
}
