/** `npm run bench:presence`: what it costs to know who is in a topic with very many members. */
import { presenceRows } from './figures/presence.js';
import { costOf } from './presence/cost.js';
import { runTopicCost } from './topic-cost/command.js';

const help = `npm run bench:presence -- [flags]   Processor, memory and bytes of a topic with very many members, without presence and
                                     with it: at rest, and while users join and leave.

  --members N    (10000)
  --edges N      (3)
  --rate N       joins and leaves a second, together (100)
  --seconds N    of each measurement (20)
  --broker KIND  auto, container or local (auto)
  --json         the result as one object
  --help

Exit status 0 only if nearly all joins and leaves that were due were done.
`;

/** Part of the joins and leaves that have to be done for the figures to be of that rate. */
const donePart = 0.8;

await runTopicCost({
  help,
  numbers: {
    members: { default: 10_000, max: 40_000 },
    edges: { default: 3, max: 10 },
    rate: { default: 100, max: 500 },
    seconds: { default: 20, max: 600 },
  },
  costOf,
  rows: presenceRows,
  isDone: ({ rate, without, with: kept }) =>
    Math.min(without.changesPerSecond, kept.changesPerSecond) >= rate * donePart,
});
