import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, freePort } from '@evenkeel/local';
import { onTestFinished } from 'vitest';

const repository = join(import.meta.dirname, '..', '..');

/** What tsung counted: by the name of a statistic, its total at the end. */
export type TsungCounts = Readonly<Record<string, number>>;

/**
 * Runs Debian's tsung on one of the files of examples/load-testing, changed as told, to its end; by itself on a port
 * mapper of its own, since the usual one would stay behind.
 */
export async function runTsung(
  file: string,
  changes: Readonly<Record<string, string>>,
): Promise<TsungCounts> {
  let text = readFileSync(join(repository, 'examples', 'load-testing', file), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  const dir = join(repository, '.evenkeel', 'test-logs', `tsung-${process.pid}-${file}`);
  mkdirSync(dir, { recursive: true });
  const config = join(dir, 'tsung.xml');
  writeFileSync(config, text);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: dir,
    ERL_EPMD_PORT: String(await freePort()),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  const child = (name: string, command: string, args: readonly string[]): Child => {
    const made = new Child({ name, command, args, env, cwd: dir, onLine: () => undefined });
    onTestFinished(() => made.stop(1_000));
    return made;
  };
  child('epmd', 'epmd', ['-port', env.ERL_EPMD_PORT, '-address', '127.0.0.1']);
  const tsung = child('tsung', '/usr/bin/tsung', ['-n', '-f', config, '-l', dir, 'start']);
  await tsung.exited;
  const [run] = readdirSync(dir, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && /^\d{8}-/.test(entry.name),
  );
  if (run === undefined) throw new Error(`tsung did not run:\n${tsung.lastLines}`);
  return countsIn(readFileSync(join(dir, run.name, 'tsung.log'), 'utf8'));
}

/** The totals of the last dump: of a line `stats: match 12 340` the last number. */
function countsIn(log: string): TsungCounts {
  const counts: Record<string, number> = {};
  for (const [, name = '', total = ''] of log.matchAll(/^stats: (\S+) .*?(\d+)$/gm))
    counts[name] = Number(total);
  return counts;
}
