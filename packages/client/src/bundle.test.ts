import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);

it('the bundle for browsers is at most 10,240 bytes gzipped, needs nothing else, and its size is printed', async () => {
  const { stdout } = await run(process.execPath, [at('../build-browser.mjs')]);
  const bundle = await readFile(at('../dist/evenkeel.browser.js'));
  const gzippedBytes = gzipSync(bundle, { level: 9 }).length;
  console.log(stdout.trim());
  expect(stdout).toContain(`${gzippedBytes} gzipped`);
  expect(gzippedBytes).toBeLessThanOrEqual(10_240);
  // Nothing can be imported from such an address but what is in it.
  const loaded: object = await import(`data:text/javascript;base64,${bundle.toString('base64')}`);
  expect(Object.keys(loaded)).toContain('connect');
});
