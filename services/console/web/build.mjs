/** Builds the page into `services/console/dist/web`: one script and one style sheet, served as they are, and nothing from elsewhere. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = at('../dist/web');

const { outputFiles } = await build({
  write: false,
  entryPoints: { console: at('src/main.tsx'), 'console-style': at('styles/main.css') },
  outdir: out,
  entryNames: '[name]',
  alias: { '@evenkeel/protocol/wire': at('../../../libs/protocol/src/wire.ts') },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
});
const built = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
for (const file of ['index.html', 'favicon.svg']) built.set(file, await readFile(at(file)));

// A console that runs serves these files meanwhile: each is there at all times, the old one or the new one.
await mkdir(out, { recursive: true });
for (const [file, contents] of built) {
  const coming = `${out}/.${file}.${process.pid}`;
  await writeFile(coming, contents);
  await rename(coming, `${out}/${file}`);
}
for (const file of await readdir(out))
  if (!built.has(file) && !file.startsWith('.')) await rm(`${out}/${file}`, { recursive: true, force: true });
