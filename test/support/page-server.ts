import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const pages = join(import.meta.dirname, '..', 'browser', 'pages');
const contentTypes: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/**
 * Serves test/browser/pages and the SDK's bundle (`/evenkeel.js`) for the running test, as an application would:
 * from an origin that is not the gateway's. Returns that origin.
 */
export async function servePages(): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://pages').pathname;
    const sdk = fileURLToPath(import.meta.resolve('@evenkeel/client/browser'));
    const file = path === '/evenkeel.js' ? sdk : join(pages, basename(path));
    try {
      const body = await readFile(file);
      response.writeHead(200, { 'content-type': contentTypes[extname(file)] ?? 'text/plain' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
