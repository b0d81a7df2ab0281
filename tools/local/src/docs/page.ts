import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { chromiumArgs, chromiumPath } from '../chromium.js';
import { environment } from '../environment.js';
import { root } from '../paths.js';
import { type Ended, runWatched } from './watched.js';

const loadTimeoutMs = 60_000;

/** Notes on the page itself what goes wrong on it. */
const watch = `<!doctype html><title>page</title><body><script>
  document.currentScript.remove();
  addEventListener('error', (event) => document.body.append('FAULT ' + (event.message || event.target.src)), true);
  addEventListener('unhandledrejection', (event) => document.body.append('FAULT ' + event.reason));
</script>`;

/** Loads a block of HTML in a headless Chromium, beside the files of the client's package; any error on it fails. */
export async function checkPage(html: string): Promise<Ended> {
  const server = createServer((request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end(watch + html);
    try {
      const file = join(root, 'packages', 'client', 'dist', basename(request.url ?? ''));
      response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  const profile = mkdtempSync(join(tmpdir(), 'evenkeel-page-'));
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = [...chromiumArgs, `--user-data-dir=${profile}`, '--dump-dom', `http://127.0.0.1:${port}/`];
    const ended = await runWatched(chromiumPath(), args, {
      limitMs: loadTimeoutMs,
      cwd: root,
      env: environment(),
    });
    const faults = ended.output.match(/^.*FAULT .*$/gm) ?? [];
    return faults.length === 0 ? ended : { status: 1, output: faults.join('\n') };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
