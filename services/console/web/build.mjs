/** Builds the page into `services/console/dist/web`: one script and one style sheet, served as they are, and nothing from elsewhere. */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = at('../dist/web');

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
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
for (const file of ['index.html', 'favicon.svg']) await copyFile(at(file), `${out}/${file}`);
