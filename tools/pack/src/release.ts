import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseFlags, reportFailure } from '@evenkeel/local';
import { pinnedBase } from './base-image.js';
import { packAll } from './index.js';
import { notesOf } from './notes.js';

const root = join(import.meta.dirname, '..', '..', '..');
const out = join(root, 'dist-release');
const help = `npm run release -- [flags]

Makes everything that a release consists of in dist-release/: a tarball of each public package, the image's definition, a
software bill of materials (CycloneDX), and the notes. Then publishes the packages with provenance, builds and pushes the
image, and makes the release with the notes.

  --dry-run      makes it and publishes nothing
  --image NAME   name of the image, without a tag (evenkeel)
  --help
`;

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} failed:\n${stderr || stdout}`);
}

/** What a tag names at this moment, in its registry. */
const digestOf = (image: string): string =>
  run('docker', ['buildx', 'imagetools', 'inspect', image, '--format', '{{.Manifest.Digest}}']).trim();

function say(what: string, path: string, detail = ''): void {
  process.stdout.write(`${what.padEnd(10)} ${relative(process.cwd(), path)}${detail}\n`);
}

async function release(isDryRun: boolean, image: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });

  const packed = await packAll(root, out);
  const others = packed.filter((one) => one.version !== version);
  if (others.length > 0)
    throw new Error(`Not of version ${version}: ${others.map(({ name }) => name).join(', ')}.`);
  for (const { file, sizeBytes } of packed) say('package', file, `  ${Math.ceil(sizeBytes / 1_024)} KiB`);

  const tags = [`${image}:${version}`, `${image}:latest`];
  const dockerfile = join(root, 'infra', 'docker', 'Dockerfile');
  const base = pinnedBase(readFileSync(dockerfile, 'utf8'), isDryRun ? undefined : digestOf);
  const imageFile = join(out, 'image.json');
  writeFileSync(
    imageFile,
    `${JSON.stringify({ tags, dockerfile: relative(root, dockerfile), context: '.', base }, null, 2)}\n`,
  );
  say('image', imageFile, `  ${tags.join(' ')}`);

  // What the services need at run time: no development dependencies.
  const sbom = join(out, 'sbom.cdx.json');
  writeFileSync(sbom, run('npm', ['sbom', '--omit=dev', '--sbom-format=cyclonedx', '--package-lock-only']));
  const { components } = JSON.parse(readFileSync(sbom, 'utf8')) as { components: unknown[] };
  say('sbom', sbom, `  ${components.length} components`);

  const notes = join(out, 'notes.md');
  writeFileSync(notes, `${notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version)}\n`);
  say('notes', notes);

  if (isDryRun) {
    process.stdout.write(`Dry run: version ${version} is ready, nothing was published.\n`);
    return;
  }
  for (const { file } of packed) run('npm', ['publish', file, '--provenance', '--access', 'public']);
  run('docker', [
    'build',
    '--sbom=true',
    '--build-arg',
    `${base.argument}=${base.image}`,
    ...tags.flatMap((tag) => ['--tag', tag]),
    '--file',
    dockerfile,
    '.',
  ]);
  for (const tag of tags) run('docker', ['push', tag]);
  run('gh', [
    'release',
    'create',
    `v${version}`,
    '--notes-file',
    notes,
    sbom,
    ...packed.map(({ file }) => file),
  ]);
}

try {
  const flags = parseFlags(process.argv.slice(2), {
    'dry-run': { type: 'boolean', default: false },
    image: { type: 'string', default: 'evenkeel' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) process.stdout.write(help);
  else await release(flags['dry-run'], flags.image);
} catch (error) {
  process.exitCode = reportFailure(error);
}
