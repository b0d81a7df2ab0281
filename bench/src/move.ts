/** `npm run bench:move`: sessions are moved round and round under traffic, and every event is accounted for. */
import { writeFileSync } from 'node:fs';
import { reportFailure } from '@evenkeel/local';
import { scheduleAsBatch } from './fleet/scheduling.js';
import { differingFrom, type MoveOptions, readOptions, usage } from './move/options.js';
import { type MoveResult, printable } from './move/result.js';
import { runMoves } from './move/run.js';

const cleanUps: (() => Promise<unknown>)[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function run(options: MoveOptions): Promise<MoveResult> {
  const defaults = readOptions([]);
  const settings = defaults === 'help' ? [] : differingFrom(defaults, options);
  if (!scheduleAsBatch()) {
    say('no batch scheduling (chrt of util-linux): expect fewer moves a second');
    settings.push('without batch scheduling');
  }
  return await runMoves({ options, settings, say, atEnd: (cleanUp) => cleanUps.push(cleanUp) });
}

async function cleanUp(): Promise<void> {
  for (const each of cleanUps.splice(0).reverse()) {
    await each().catch((error: unknown) => say(`while stopping: ${String(error)}`));
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void cleanUp().then(() => process.exit(130)));
}

let exitCode = 1;
try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    exitCode = 0;
  } else {
    const result = await run(options);
    console.log(options.json ? JSON.stringify(result) : printable(result));
    if (options.out) writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`);
    exitCode = result.failures.length === 0 ? 0 : 1;
  }
} catch (error) {
  exitCode = reportFailure(error) === 2 ? 2 : 1;
} finally {
  await cleanUp();
}
process.exit(exitCode);
