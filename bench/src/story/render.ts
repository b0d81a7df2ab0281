import type { StoryResult } from './result.js';
import { tableOf } from './table.js';

/** The result for people. */
export function render(result: StoryResult): string {
  return [
    ...table(result),
    '',
    `published ${result.published}, delivered ${result.delivered}: ` +
      `${result.lost} lost, ${result.covered} lost in gaps, ${result.repeated} repeated, ${result.reordered} out of order`,
    `topic messages published ${result.topics.published}, delivered ${result.topics.delivered}: ` +
      `${result.topics.lost} lost, ${result.topics.covered} lost in gaps, ` +
      `${result.topics.repeated} repeated, ${result.topics.reordered} out of order`,
    ...perClient(result),
    `moves per session ${result.movesPerSession}; losses of a connection ${result.disconnects}; ` +
      `gaps ${JSON.stringify(result.gaps)}; failed moves ${JSON.stringify(result.movesFailed)}`,
    `delay of events ${result.delayMs.p50} ms (p50), ${result.delayMs.p99} ms (p99), ${result.delayMs.max} ms (max)`,
    ...Object.entries(result.extra).map(([name, value]) => `${name} ${JSON.stringify(value)}`),
    '',
    ...(result.held ? ['All of it held.'] : ['NOT HELD:', ...result.failures.map((each) => `  - ${each}`)]),
    '',
  ].join('\n');
}

function table({ steps }: StoryResult): string[] {
  const nodes = [...new Set(steps.flatMap(({ perNode }) => Object.keys(perNode)))];
  const rows = [
    ['step', ...nodes, 'max/mean', 'level after'],
    ...steps.map(({ name, perNode, maxOverMean, secondsToLevel }) => [
      name,
      ...nodes.map((node) => String(perNode[node] ?? '-')),
      maxOverMean.toFixed(3),
      secondsToLevel === null ? 'never' : `${secondsToLevel} s`,
    ]),
  ];
  return tableOf(rows);
}

function perClient({ clients, clientsWithFaults }: StoryResult): string[] {
  if (clientsWithFaults.length === 0)
    return [`${clients} of ${clients} clients got every event once and in order`];
  return [
    `${clientsWithFaults.length} clients (of ${clients}) did not get every event once and in order:`,
    ...clientsWithFaults
      .slice(0, 20)
      .map(
        ({ user, node, lost, repeated, reordered, missing }) =>
          `  ${user} on ${node}: ${lost} lost (${missing.join(', ')}), ${repeated} repeated, ${reordered} out of order`,
      ),
  ];
}
