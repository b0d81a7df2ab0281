import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Route, sendFile, sendJson } from '@evenkeel/runtime';

/** Its own files alone, nothing inline and nothing from elsewhere. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const dir = fileURLToPath(new URL('../../public/', import.meta.url));
const files: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/try.js': 'try.js',
  '/try.css': 'try.css',
};
const documentPath = '/openapi.json';

/** What tells how to use the API: its OpenAPI document, and a page to try it. Anybody may read them. */
export class Documents implements Route {
  readonly isShared = false;
  readonly isFree = true;
  readonly #document: object;

  constructor(document: object) {
    this.#document = document;
  }

  has(path: string): boolean {
    return path === documentPath || Object.hasOwn(files, path);
  }

  methods(): readonly string[] {
    return ['GET', 'HEAD'];
  }

  /** @throws Refusal */
  async answer(_request: IncomingMessage, response: ServerResponse, { pathname }: URL): Promise<void> {
    if (pathname === documentPath) return sendJson(response, 200, this.#document);
    await sendFile(response, join(dir, files[pathname] ?? ''), {
      hint: 'services/api/public has it',
      headers: { 'content-security-policy': contentSecurityPolicy },
    });
  }
}
