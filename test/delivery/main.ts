/** `npm run check:delivery`: what was published, what arrived, and whether what did not was told. */
import { readFileSync } from 'node:fs';
import { parseFlags, reportFailure, UsageError } from '@evenkeel/local';
import { judge } from './judge/judge.js';
import { readLog } from './log.js';

const help = `npm run check:delivery -- --judge FILE

  --judge FILE   judges the log of a run (docs/delivery-log.md); the verdict is JSON on standard output
Exit status 0 only if nothing was lost without a gap, repeated, out of order, or told in vain.
`;

function run(): number {
  const flags = parseFlags(process.argv.slice(2), {
    judge: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  if (flags.judge === undefined) throw new UsageError('--judge FILE is missing. --help lists the flags.');
  const verdict = judge(readLog(readFileSync(flags.judge, 'utf8')));
  process.stdout.write(`${JSON.stringify(verdict, null, 2)}\n`);
  return verdict.ok ? 0 : 1;
}

let status = 1;
try {
  status = run();
} catch (error) {
  status = reportFailure(error);
}
process.exit(status);
