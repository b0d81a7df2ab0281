import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LineSink } from './child.js';

/** Appends each service's lines to a file of its own in `dir`. */
export function fileSink(dir: string): LineSink {
  // Synchronous, so that the last lines before a crash are on disk.
  return (name, line) => appendFileSync(join(dir, `${name}.log`), `${line}\n`);
}
