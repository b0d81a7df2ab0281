import type { ConnectionFigures } from '@evenkeel/broker';
import type { PublisherFigures } from './figures.js';

/** What the publishers of all cells do, as one. */
export function figuresOf(all: readonly PublisherFigures[]): PublisherFigures {
  const consuming = all.flatMap(({ connections }) => connections.consuming ?? []);
  return {
    connections: {
      publishing: together(all.map(({ connections }) => connections.publishing)),
      ...(consuming.length > 0 && { consuming: together(consuming) }),
    },
    published: sumOf(all.map(({ published }) => published)),
    handled: sumOf(all.map(({ handled }) => handled)),
    running: all.reduce((sum, { running }) => sum + running, 0),
  };
}

/** Connected where all are, blocked where one is. */
function together(all: readonly ConnectionFigures[]): ConnectionFigures {
  const counts = all.map(({ isConnected: _, isBlocked: __, ...rest }) => rest);
  return {
    ...sumOf(counts),
    isConnected: all.every(({ isConnected }) => isConnected),
    isBlocked: all.some(({ isBlocked }) => isBlocked),
  };
}

function sumOf<Counts extends Readonly<Record<string, number>>>(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  return sum as Counts;
}
