/** `npm run bench:history`: what it costs to keep what a topic carries. */
import { historyRows } from './figures/history.js';
import { costOf } from './history/cost.js';
import { runTopicCost } from './topic-cost/command.js';

const help = `npm run bench:history -- [flags]   Processor, memory and delays of a topic with many subscribers, without history and with
                                    it, and of subscriptions that ask for its last messages.

  --subscribers N  (1000)
  --edges N        (2)
  --rate N         messages a second (20)
  --asks N         subscriptions with last a second (1000)
  --last N         (20)
  --seconds N      of each measurement (20)
  --broker KIND    auto, container or local (auto)
  --json           the result as one object
  --help

Exit status 0 only if nearly all that was due was delivered and answered.
`;

/** Part of the messages and questions that has to be done for the figures to be of that rate. */
const donePart = 0.9;

await runTopicCost({
  help,
  numbers: {
    subscribers: { default: 1_000, max: 20_000 },
    edges: { default: 2, max: 10 },
    rate: { default: 20, max: 5_000 },
    asks: { default: 1_000, max: 10_000 },
    last: { default: 20, max: 1_000 },
    seconds: { default: 20, max: 600 },
  },
  costOf,
  rows: historyRows,
  isDone: ({ subscribers, rate, asks, without, with: kept }) => {
    const delivered = Math.min(without.fanout.deliveredPerSecond, kept.fanout.deliveredPerSecond);
    const asked = kept.asking?.perSecond ?? 0;
    return delivered >= subscribers * rate * donePart && asked >= asks * donePart;
  },
});
