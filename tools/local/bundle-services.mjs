/**
 * Puts each service into one file, `services/<name>/dist/bundled/main.js`: one of hundreds of files takes three times as long to load.
 * What is compiled stays beside it, and is run where it is newer.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiled = (service) => join(root, 'services', service, 'dist', 'main.js');
const services = readdirSync(join(root, 'services')).filter((service) => existsSync(compiled(service)));
const { version } = JSON.parse(readFileSync(join(root, 'libs', 'runtime', 'package.json'), 'utf8'));

async function bundle(service) {
  const dist = join(root, 'services', service, 'dist');
  const folder = join(dist, 'bundled');
  const { outputFiles } = await build({
    entryPoints: [compiled(service)],
    outfile: join(folder, 'main.js'),
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Has a binary for each platform.
    external: ['uWebSockets.js'],
    // Packages of CommonJS ask for it.
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
    },
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
  mkdirSync(folder, { recursive: true });
  // libs/runtime reads its version one folder above what runs.
  const manifest = {
    path: join(dist, 'package.json'),
    contents: `${JSON.stringify({ type: 'module', version })}\n`,
  };
  // Whoever is reading one meanwhile goes on reading the old one.
  for (const { path, contents } of [manifest, ...outputFiles]) {
    writeFileSync(`${path}.${process.pid}`, contents);
    renameSync(`${path}.${process.pid}`, path);
  }
}

await Promise.all(services.map(bundle));
