/** Words that completion asks the mesh for, kept for a moment: a shell asks at each key. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { AskedWords } from './completion.js';

/** Words are as old as this at most, ms. */
const keptMs = 5_000;

/** Nothing here means anything to a shell, which expands what it is given. */
const isPlain = /^[\w.-]{1,256}$/;

export interface WordCache {
  /** Of this user alone. */
  readonly folder: string;
  nowMs(): number;
}

/** In a folder of the user's own: words of others are not put before a shell. */
const userCache = (): WordCache => ({
  folder: join(tmpdir(), `evenkeel-${userInfo().uid}`),
  nowMs: Date.now,
});

/** The words of the mesh at this address, by `ask` where they are not known. None where they cannot be found out. */
export async function wordsOf(
  kind: AskedWords,
  amqpUrl: string,
  ask: (kind: AskedWords) => Promise<readonly string[]>,
  cache: WordCache = userCache(),
): Promise<string[]> {
  const name = createHash('sha256').update(amqpUrl).digest('hex').slice(0, 16);
  const file = join(cache.folder, `${name}.${kind}`);
  const known = read(file, cache);
  if (known !== undefined) return known;
  try {
    const words = (await ask(kind)).filter((word) => isPlain.test(word));
    keep(file, words, cache);
    return words;
  } catch {
    // Whoever presses TAB wants words, not an error.
    return [];
  }
}

function read(file: string, { folder, nowMs }: WordCache): string[] | undefined {
  try {
    if (!isOwn(folder)) return undefined;
    const ageMs = nowMs() - statSync(file).mtimeMs;
    if (ageMs < 0 || ageMs > keptMs) return undefined;
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((word) => isPlain.test(word));
  } catch {
    return undefined;
  }
}

function keep(file: string, words: readonly string[], { folder }: WordCache): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    const made = `${file}.${process.pid}`;
    writeFileSync(made, words.join('\n'), { mode: 0o600 });
    renameSync(made, file);
  } catch {
    // They are asked for again, then.
  }
}

/** Nobody else can have put anything there. */
const isOwn = (folder: string): boolean => {
  const { uid, mode } = statSync(folder);
  const own = userInfo().uid;
  // Windows knows neither.
  return own < 0 || (uid === own && (mode & 0o022) === 0);
};
