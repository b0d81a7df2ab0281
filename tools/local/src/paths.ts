import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from './environment.js';

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Where everything that runs here keeps its files: `.evenkeel/`, ignored by git, or EVENKEEL_STATE_DIR. */
export const stateDir = environment().EVENKEEL_STATE_DIR ?? join(root, '.evenkeel');

/** Where a running `npm start` says what runs where. */
export const runFile = join(stateDir, 'run.json');

/** Where `npm run compose:setup` says how its mesh is reached; docker-compose.yml looks beside it. */
export const composeFile = join(root, '.evenkeel', 'compose.json');

/** A new, empty folder of its own under `.evenkeel/`. */
export function freshDir(prefix: string): string {
  const dir = join(stateDir, `${prefix}-${process.pid}-${randomBytes(3).toString('hex')}`);
  mkdirSync(dir, { recursive: true });
  return dir;
}
