import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What is made or installed, and no source. */
const leftOut = new Set(['dist', 'node_modules']);

export interface Making {
  /** A file that is made. */
  readonly made: string;
  /** What says when it was made, written here. */
  readonly stamp: string;
  /** Files, and folders with all that is in them. One that is newer counts, and a folder that has lost or got something. */
  readonly sources: readonly string[];
  make(): Promise<void>;
}

/** Makes something unless it was made from what is there now. */
export async function makeIfStale({ made, stamp, sources, make }: Making): Promise<void> {
  const madeMs = existsSync(made) ? statSync(stamp, { throwIfNoEntry: false })?.mtimeMs : undefined;
  if (madeMs !== undefined && Math.max(...sources.map(newestIn)) < madeMs) return;
  const startedS = Date.now() / 1_000;
  await make();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, '');
  // What changes while it is made has not gone into it.
  utimesSync(stamp, startedS, startedS);
}

/** When it, or the newest in it, was changed, ms since the epoch. */
function newestIn(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = readdirSync(path).filter((name) => !leftOut.has(name) && !name.endsWith('.tsbuildinfo'));
  return Math.max(stat.mtimeMs, ...inside.map((name) => newestIn(join(path, name))));
}
