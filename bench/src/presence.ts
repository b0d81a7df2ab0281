/** `npm run bench:presence`: what it costs to know who is in a topic with very many members. */
import { brokerChoice, parseFlags, reportFailure, wholeNumber } from '@evenkeel/local';
import { presenceRows } from './figures/presence.js';
import { costOf } from './presence/cost.js';
import { tableOf } from './story/table.js';

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

const cleanUps: (() => Promise<unknown>)[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);
/** Part of the joins and leaves that have to be done for the figures to be of that rate. */
const donePart = 0.8;

async function cleanUp(): Promise<void> {
  for (const each of cleanUps.splice(0).reverse())
    await each().catch((error: unknown) => say(`while stopping: ${String(error)}`));
}

try {
  const flags = parseFlags(process.argv.slice(2), {
    members: { type: 'string', default: '10000' },
    edges: { type: 'string', default: '3' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    broker: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) process.stdout.write(help);
  else {
    const options = {
      members: wholeNumber('--members', flags.members, 1, 40_000),
      edges: wholeNumber('--edges', flags.edges, 1, 10),
      rate: wholeNumber('--rate', flags.rate, 1, 500),
      seconds: wholeNumber('--seconds', flags.seconds, 1, 600),
      broker: brokerChoice(flags.broker),
      say,
      atEnd: (each: () => Promise<unknown>) => void cleanUps.push(each),
    };
    const without = await costOf(false, options);
    await cleanUp();
    const kept = await costOf(true, options);
    const { members, edges, rate } = options;
    const result = { members, edges, rate, without, with: kept };
    if (flags.json) console.log(JSON.stringify(result));
    else console.log(tableOf([['', 'without', 'with'], ...presenceRows(result)]).join('\n'));
    if (Math.min(without.changesPerSecond, kept.changesPerSecond) < rate * donePart) process.exitCode = 1;
  }
} catch (error) {
  process.exitCode = reportFailure(error);
} finally {
  await cleanUp();
}
