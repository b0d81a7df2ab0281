/** Bundles the client for browsers, prints its size, and fails above what is promised. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const limitBytes = 10_240;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const { outputFiles } = await build({
  entryPoints: [at('src/index.ts')],
  outfile: at('dist/evenkeel.browser.js'),
  alias: {
    '@evenkeel/pace': at('../../libs/pace/src/index.ts'),
    '@evenkeel/protocol/wire': at('../../libs/protocol/src/wire.ts'),
  },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  legalComments: 'none',
  write: false,
});
const [bundle] = outputFiles;
if (!bundle) throw new Error('esbuild wrote nothing');
await mkdir(at('dist'), { recursive: true });
await writeFile(bundle.path, bundle.contents);
const gzippedBytes = gzipSync(bundle.contents, { level: 9 }).length;
console.log(
  `evenkeel.browser.js: ${bundle.contents.length} bytes, ${gzippedBytes} gzipped (limit ${limitBytes})`,
);
if (gzippedBytes > limitBytes) process.exitCode = 1;
