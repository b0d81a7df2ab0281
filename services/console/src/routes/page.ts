import { existsSync, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Route, sendFile } from '@evenkeel/runtime';
import type { Access } from '../access/access.js';

/** The page's own files alone, nothing inline and nothing from elsewhere. No form is sent, no frame shows it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What `services/console/web/build.mjs` makes. */
const builtDir = fileURLToPath(new URL('../web/', import.meta.url));

/** The page: the files of one folder, as they are when it starts; `/` is its `index.html`. */
export class Page implements Route {
  readonly isShared = false;
  readonly #access: Pick<Access, 'visit'>;
  readonly #dir: string;
  #files: ReadonlySet<string> = new Set();

  constructor(access: Pick<Access, 'visit'>, dir: string = builtDir) {
    this.#access = access;
    this.#dir = dir;
  }

  /** Looks which files there are. No other is served. */
  start(): void {
    const entries = existsSync(this.#dir) ? readdirSync(this.#dir, { withFileTypes: true }) : [];
    this.#files = new Set(entries.filter((each) => each.isFile()).map(({ name }) => name));
  }

  has(path: string): boolean {
    return path === '/' || this.#files.has(path.slice(1));
  }

  methods(): readonly string[] {
    return ['GET', 'HEAD'];
  }

  /** @throws Refusal */
  async answer(request: IncomingMessage, response: ServerResponse, { pathname: path }: URL): Promise<void> {
    this.#access.visit(request);
    await sendFile(response, join(this.#dir, path === '/' ? 'index.html' : path.slice(1)), {
      hint: 'build the page first (npm run build)',
      headers: {
        'content-security-policy': contentSecurityPolicy,
        'cross-origin-opener-policy': 'same-origin',
        'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      },
    });
  }
}
