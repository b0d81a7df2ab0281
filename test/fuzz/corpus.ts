import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@evenkeel/local';

/** An input that is worth keeping. */
export interface Seed {
  readonly name: string;
  readonly input: Buffer;
}

/** Where the inputs of each target are, one a file. */
const corpusDir = join(root, 'test', 'fuzz', 'corpus');

/** The inputs of a target that are committed, in the order of their names. */
export function corpusOf(target: string, dir = corpusDir): Seed[] {
  const folder = join(dir, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }));
}

/** The name of an input that nobody has named. */
export const hashOf = (input: Buffer): string =>
  createHash('sha256').update(input).digest('hex').slice(0, 12);

/** Writes an input to the corpus of a target. @returns its path, from the root of the repository */
export function keep(target: string, name: string, input: Buffer, dir = corpusDir): string {
  const folder = join(dir, target);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), input);
  return join(folder, name).replace(`${root}/`, '');
}
