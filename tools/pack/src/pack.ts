import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.js';
import { publishedManifest } from './manifest.js';
import type { PublicPackage } from './packages.js';
import { bundleTypes } from './types.js';
import { readLibraries, readManifest } from './workspaces.js';

/** A tarball that was made. */
export interface Packed {
  readonly name: string;
  readonly version: string;
  /** Its path. */
  readonly file: string;
  /** The folder it was made of. */
  readonly folder: string;
  readonly sizeBytes: number;
  readonly dependencies: readonly string[];
}

/** Makes the tarball of one package in `out`, from its compiled workspace. */
export async function pack(root: string, what: PublicPackage, out: string): Promise<Packed> {
  const from = join(root, what.folder);
  const workspace = readManifest(from);
  const libraries = readLibraries(root);
  const to = join(out, 'unpacked', workspace.name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, 'dist'), { recursive: true });

  const modules = what.entries.map(({ module }) => module);
  const withNode = [...modules, ...what.entries.flatMap(({ node }) => node ?? [])];
  const of = { from, to, libraries };
  const imported = new Set([
    ...(await bundle({ ...of, modules: [...withNode, ...what.modules], format: 'esm' })),
    ...(await bundle({ ...of, modules: withNode, format: 'cjs' })),
    ...(await bundleTypes({ ...of, modules })),
  ]);
  for (const path of what.copied) cpSync(join(from, path), join(to, path), { recursive: true });
  for (const program of Object.values(workspace.bin ?? {})) makeExecutable(join(to, program));
  cpSync(join(from, 'README.md'), join(to, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  const declaring = [workspace, ...[...libraries.values()].map(({ manifest }) => manifest)];
  const manifest = publishedManifest(what, workspace, imported, declaring);
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  const { filename, size } = npmPack(to, out);
  return {
    name: workspace.name,
    version: workspace.version,
    file: join(out, filename),
    folder: to,
    sizeBytes: size,
    dependencies: Object.keys(manifest.dependencies ?? {}),
  };
}

function makeExecutable(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.startsWith('#!') ? text : `#!/usr/bin/env node\n${text}`, { mode: 0o755 });
}

/** Everything in the folder is meant to be in it. */
function npmPack(folder: string, out: string): { filename: string; size: number } {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', out];
  const npm = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`npm pack failed in ${folder}:\n${npm.stderr}`);
  const [packed] = JSON.parse(npm.stdout) as { filename: string; size: number }[];
  if (packed === undefined) throw new Error(`npm pack said nothing in ${folder}`);
  return packed;
}
