import { mkdirSync } from 'node:fs';
import { faultsOf } from './check.js';
import { type Packed, pack } from './pack.js';
import { publicPackages } from './packages.js';

export type { Packed };

/**
 * Packs every public package of the repository at `root`, which is compiled, into `out`, and checks each.
 * @throws Error that names what publint or are-the-types-wrong have against one.
 */
export async function packAll(root: string, out: string): Promise<Packed[]> {
  mkdirSync(out, { recursive: true });
  const all: Packed[] = [];
  for (const what of publicPackages) {
    const packed = await pack(root, what, out);
    const faults = await faultsOf(what, packed);
    if (faults.length > 0)
      throw new Error(`${packed.name} is not fit to be published.\n${faults.join('\n')}`);
    all.push(packed);
  }
  return all;
}
