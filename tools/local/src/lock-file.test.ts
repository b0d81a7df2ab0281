import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './paths.js';

interface Locked {
  readonly link?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
}

const lockFile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
/** Ours are links; everything else comes from a registry. */
const foreign = Object.entries(lockFile.packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
);

test('every package of the lock file has the hash of its content, those for other systems too', () => {
  expect(foreign.length).toBeGreaterThan(100);
  expect(
    foreign.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? '')).map(([path]) => path),
  ).toEqual([]);
});

test('no package comes from anywhere but the registry', () => {
  expect(
    foreign.filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https:')),
  ).toEqual([]);
});
