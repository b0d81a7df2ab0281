import type { HistoryFigures } from '../history/cost.js';
import { decimal, whole } from './numbers.js';

/** What `bench:history --json` prints. */
export interface HistoryCost {
  readonly subscribers: number;
  readonly edges: number;
  readonly rate: number;
  readonly last: number;
  readonly without: HistoryFigures;
  readonly with: HistoryFigures;
}

/** Rows of a table: what, without history, with it. */
export function historyRows({ without, with: kept, edges, last }: HistoryCost): string[][] {
  const row = (name: string, cell: (figures: HistoryFigures) => string): string[] => [
    name,
    cell(without),
    cell(kept),
  ];
  const { asking } = kept;
  return [
    row('messages delivered a second', ({ fanout }) => whole(fanout.deliveredPerSecond)),
    row('– delay, p50', ({ fanout }) => `${decimal(fanout.p50Ms, 1)} ms`),
    row('– delay, p99', ({ fanout }) => `${decimal(fanout.p99Ms, 1)} ms`),
    row(`– processor of ${edges} edges`, ({ fanout }) => `${decimal(fanout.edgeCores, 2)} cores`),
    row('– of RabbitMQ', ({ fanout }) => `${decimal(fanout.brokerCores, 2)} cores`),
    row('– memory of an edge', ({ edgeMiB }) => `${whole(edgeMiB)} MiB`),
    row('– memory of RabbitMQ', ({ brokerMiB }) => `${whole(brokerMiB)} MiB`),
    ...(asking === undefined
      ? []
      : [
          [`subscriptions with \`last: ${last}\` a second`, '', whole(asking.perSecond)],
          ['– all of it is there after, p50', '', `${decimal(asking.p50Ms, 1)} ms`],
          ['– p99', '', `${decimal(asking.p99Ms, 1)} ms`],
          ['– refused', '', whole(asking.refused)],
          [`– processor of ${edges} edges`, '', `${decimal(asking.edgeCores, 2)} cores`],
          ['– of RabbitMQ', '', `${decimal(asking.brokerCores, 2)} cores`],
        ]),
  ];
}
