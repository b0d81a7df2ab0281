/** `npm run bench:history`: what it costs to keep what a topic carries. */
import { brokerChoice, parseFlags, reportFailure, wholeNumber } from '@evenkeel/local';
import { historyRows } from './figures/history.js';
import { costOf } from './history/cost.js';
import { tableOf } from './story/table.js';

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

const cleanUps: (() => Promise<unknown>)[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);
/** Part of the messages and questions that has to be done for the figures to be of that rate. */
const donePart = 0.9;

async function cleanUp(): Promise<void> {
  for (const each of cleanUps.splice(0).reverse())
    await each().catch((error: unknown) => say(`while stopping: ${String(error)}`));
}

try {
  const flags = parseFlags(process.argv.slice(2), {
    subscribers: { type: 'string', default: '1000' },
    edges: { type: 'string', default: '2' },
    rate: { type: 'string', default: '20' },
    asks: { type: 'string', default: '1000' },
    last: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    broker: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) process.stdout.write(help);
  else {
    const options = {
      subscribers: wholeNumber('--subscribers', flags.subscribers, 1, 20_000),
      edges: wholeNumber('--edges', flags.edges, 1, 10),
      rate: wholeNumber('--rate', flags.rate, 1, 5_000),
      asks: wholeNumber('--asks', flags.asks, 1, 10_000),
      last: wholeNumber('--last', flags.last, 1, 1_000),
      seconds: wholeNumber('--seconds', flags.seconds, 1, 600),
      broker: brokerChoice(flags.broker),
      say,
      atEnd: (each: () => Promise<unknown>) => void cleanUps.push(each),
    };
    const without = await costOf(false, options);
    await cleanUp();
    const kept = await costOf(true, options);
    const { subscribers, edges, rate, asks, last } = options;
    const result = { subscribers, edges, rate, last, without, with: kept };
    if (flags.json) console.log(JSON.stringify(result));
    else console.log(tableOf([['', 'without', 'with'], ...historyRows(result)]).join('\n'));
    const delivered = Math.min(without.fanout.deliveredPerSecond, kept.fanout.deliveredPerSecond);
    if (delivered < subscribers * rate * donePart) process.exitCode = 1;
    if ((kept.asking?.perSecond ?? 0) < asks * donePart) process.exitCode = 1;
  }
} catch (error) {
  process.exitCode = reportFailure(error);
} finally {
  await cleanUp();
}
