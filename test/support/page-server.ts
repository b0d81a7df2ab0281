import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const pages = join(import.meta.dirname, '..', 'browser', 'pages');
const contentTypes: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/**
 * Serves test/browser/pages and the SDK's bundle (`/evenkeel.js`) for the running test, as an application would:
 * from an origin that is not the gateway's. Returns that origin. `more`: other files by their paths.
 */
export const servePages = (more: Readonly<Record<string, string>> = {}): Promise<string> => {
  const special = { '/evenkeel.js': fileURLToPath(import.meta.resolve('@evenkeel/client/browser')), ...more };
  return serveFiles((path) => new Map(Object.entries(special)).get(path) ?? join(pages, basename(path)));
};

/** Serves the files of `folder` for the running test; returns the origin. */
export const serveFolder = (folder: string): Promise<string> =>
  serveFiles((path) => join(folder, normalize(path)));

async function serveFiles(fileOf: (path: string) => string): Promise<string> {
  const server = createServer(async (request, response) => {
    const file = fileOf(new URL(request.url ?? '/', 'http://pages').pathname);
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
