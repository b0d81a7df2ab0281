import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { Packed } from './pack.js';
import type { PublicPackage } from './packages.js';

const attwManifest = import.meta.resolve('@arethetypeswrong/cli/package.json');

/** What publint and are-the-types-wrong have against a packed package, one text each. */
export async function faultsOf(what: PublicPackage, packed: Packed): Promise<string[]> {
  const { messages, pkg } = await publint({ pkgDir: packed.folder, level: 'suggestion', pack: false });
  const faults = messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
  if (what.entries.length === 0) return faults;
  // Single files, ESM or for a classic script alone, are no modules for every resolution.
  const files = Object.keys(what.files);
  const excluded = files.length === 0 ? [] : ['--exclude-entrypoints', ...files.map((path) => path.slice(2))];
  const attw = spawnSync(
    process.execPath,
    [
      fileURLToPath(new URL('dist/index.js', attwManifest)),
      ...[packed.file, '--profile', 'node16', '--format', 'ascii', '--no-color', '--no-emoji'],
      ...excluded,
    ],
    { encoding: 'utf8' },
  );
  if (attw.status !== 0) faults.push(`are the types wrong: ${attw.stdout}${attw.stderr}`);
  return faults;
}
