import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { Refusal } from './answer.js';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * Sends a file of a page, read anew each time so that an edited page shows on reload. `hint`: what to do where it is not there.
 * @throws Refusal
 */
export async function sendFile(
  response: ServerResponse,
  file: string,
  { headers, hint }: { headers: Readonly<Record<string, string>>; hint: string },
): Promise<void> {
  let body: Buffer;
  try {
    body = await readFile(file);
  } catch {
    throw new Refusal(404, 'not-found', `this file is not here; ${hint}`);
  }
  response.writeHead(200, {
    'content-type': contentTypes[extname(file)] ?? 'application/octet-stream',
    'content-length': body.length,
    'cache-control': 'no-cache',
    ...headers,
  });
  response.end(body);
}
