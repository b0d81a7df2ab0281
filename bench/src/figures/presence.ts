import type { Cost } from '../presence/cost.js';
import { decimal, whole } from './numbers.js';

/** What `bench:presence --json` prints. */
export interface PresenceCost {
  readonly members: number;
  readonly edges: number;
  readonly rate: number;
  readonly without: Cost;
  readonly with: Cost;
}

/** Rows of a table: what, without presence, with it. */
export function presenceRows({ without, with: kept }: PresenceCost): string[][] {
  const row = (name: string, cell: (cost: Cost) => string): string[] => [name, cell(without), cell(kept)];
  const { watchers } = kept;
  const spread = ([median, max]: readonly [number, number]): string =>
    `${whole(median)} ms, at most ${whole(max)}`;
  return [
    row('at rest: processor of an edge', ({ rest }) => `${decimal(rest.edgeCores, 3)} cores`),
    row('– of RabbitMQ', ({ rest }) => `${decimal(rest.brokerCores, 3)} cores`),
    row('– sent by an edge a second', ({ rest }) => sent(rest)),
    row('– memory of an edge', ({ edgeMiB }) => `${whole(edgeMiB)} MiB`),
    row('– memory of RabbitMQ', ({ brokerMiB }) => `${whole(brokerMiB)} MiB`),
    row('joins and leaves a second', ({ changesPerSecond }) => whole(changesPerSecond)),
    row('– processor of an edge', ({ work }) => `${decimal(work.edgeCores, 3)} cores`),
    row('– of RabbitMQ', ({ work }) => `${decimal(work.brokerCores, 3)} cores`),
    row('– sent by an edge a second', ({ work }) => sent(work)),
    ...(watchers === undefined
      ? []
      : [
          ['– a new client has the number of members after', '', spread(watchers.newcomerMs)],
          ['– a client that is connected, after', '', spread(watchers.questionMs)],
          ['one more edge starts: bytes of snapshots', '', `${whole(watchers.snapshotBytes / 1_024)} KiB`],
        ]),
  ];
}

const sent = ({ sentPerSecond, sentBytesPerSecond }: Cost['rest']): string =>
  `${decimal(sentPerSecond, 1)} messages, ${whole(sentBytesPerSecond)} bytes`;
