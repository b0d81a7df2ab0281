import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';

const limitBytes = 12_288;
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);

let printed = '';
beforeAll(async () => {
  const { stdout } = await run(process.execPath, [at('../build-browser.mjs')]);
  console.log(stdout.trim());
  printed = stdout;
}, 60_000);

it.each(['evenkeel.browser.js', 'evenkeel.global.js'])(
  '%s is at most 12 KiB gzipped, knows nothing of Node, and its size is printed',
  async (name) => {
    const bundle = await readFile(at(`../dist/${name}`));
    const gzippedBytes = gzipSync(bundle, { level: 9 }).length;
    expect(printed).toContain(`${name}: ${bundle.length} bytes, ${gzippedBytes} gzipped`);
    expect(gzippedBytes).toBeLessThanOrEqual(limitBytes);
    expect(bundle.toString()).not.toMatch(/createRequire|getBuiltinModule/);
  },
);

it('evenkeel.full.js has at most 3 KiB more for each part, knows nothing of Node, and its size is printed', async () => {
  const bundle = await readFile(at('../dist/evenkeel.full.js'));
  const parts = (await readdir(at('more'))).filter((name) => !/[.](test[.]ts|md)$/.test(name));
  const gzippedBytes = gzipSync(bundle, { level: 9 }).length;
  expect(printed).toContain(`evenkeel.full.js: ${bundle.length} bytes, ${gzippedBytes} gzipped`);
  expect(gzippedBytes).toBeLessThanOrEqual(limitBytes + parts.length * 3_072);
  expect(bundle.toString()).not.toMatch(/createRequire|getBuiltinModule/);
});

it.each(['evenkeel.browser.js', 'evenkeel.full.js'])('%s needs nothing else', async (name) => {
  const bundle = await readFile(at(`../dist/${name}`));
  // Nothing can be imported from such an address but what is in it.
  const loaded: object = await import(`data:text/javascript;base64,${bundle.toString('base64')}`);
  expect(Object.keys(loaded)).toContain('connect');
});

it('the classic script makes one global, Evenkeel', async () => {
  const script = await readFile(at('../dist/evenkeel.global.js'), 'utf8');
  const page: Record<string, object> = {};
  runInNewContext(script, page);
  expect(Object.keys(page)).toEqual(['Evenkeel']);
  const bundle = await readFile(at('../dist/evenkeel.browser.js'));
  const loaded: object = await import(`data:text/javascript;base64,${bundle.toString('base64')}`);
  expect(Object.keys(page.Evenkeel ?? {}).sort()).toEqual(Object.keys(loaded).sort());
});
