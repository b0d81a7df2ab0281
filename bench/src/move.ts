/** `npm run bench:move`: sessions are moved round and round under traffic, and every event is accounted for. */
import { writeFileSync } from 'node:fs';
import { CertificateFolder, reportFailure } from '@evenkeel/local';
import { scheduleAsBatch } from './fleet/scheduling.js';
import { differingFrom, type MoveOptions, readOptions, usage } from './move/options.js';
import { type MoveResult, printable } from './move/result.js';
import { type RunContext, runMoves } from './move/run.js';
import { costOf } from './move/tls.js';

const cleanUps: (() => Promise<unknown>)[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function run(options: MoveOptions): Promise<MoveResult> {
  const defaults = readOptions([]);
  const settings = defaults === 'help' ? [] : differingFrom(defaults, options);
  if (!scheduleAsBatch()) {
    say('no batch scheduling (chrt of util-linux): expect fewer moves a second');
    settings.push('without batch scheduling');
  }
  const context = { options, settings, say, atEnd: (each: () => Promise<unknown>) => cleanUps.push(each) };
  return options.tls ? await runBoth(context) : await runMoves(context);
}

/** Without TLS, and then with it. */
async function runBoth(context: RunContext): Promise<MoveResult> {
  say('without TLS');
  const plain = await runMoves(context);
  await cleanUp();
  say('with TLS');
  const certificates = new CertificateFolder();
  context.atEnd(async () => certificates.remove());
  certificates.serve('first');
  // For the processes that are started from here on.
  process.env.NODE_EXTRA_CA_CERTS = certificates.caFile;
  const secure = await runMoves({ ...context, certificates });
  const failures = [...plain.failures.map((failure) => `without TLS: ${failure}`), ...secure.failures];
  if (secure.tls === undefined) return { ...secure, failures };
  return { ...secure, failures, tls: { ...secure.tls, cost: costOf(plain, secure) } };
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
