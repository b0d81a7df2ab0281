import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../docs/images', import.meta.url));
/** For the last dots to come to rest. */
const settleMs = 1_200;

/** Writes docs/images/NAME. They are in the repository, and a reader waits for them: so they are small. */
export function save(name: string, bytes: Uint8Array, maxKiB = 200): void {
  const size = Math.round(bytes.length / 1_024);
  if (size > maxKiB) throw new Error(`${name} has ${size} KiB, more than ${maxKiB}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), bytes);
  console.log(`${name}: ${size} KiB`);
}

/** Until nothing on the page moves any more. */
export const rest = (): Promise<void> => sleep(settleMs);
