import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Route, sendFile } from '@evenkeel/runtime';

/** Paths of the page and its files; nothing else of the folder is served. */
const pageFiles: Record<string, string> = {
  '/': 'index.html',
  '/page.js': 'page.js',
  '/mesh.css': 'mesh.css',
  '/mesh.js': 'mesh.js',
  '/node-bars.js': 'node-bars.js',
  '/node-bars-draw.js': 'node-bars-draw.js',
  '/node-bars-style.js': 'node-bars-style.js',
  '/page.css': 'page.css',
  '/favicon.svg': 'favicon.svg',
};
/**
 * The page's own files alone, nothing inline. No page of another origin may show it in a frame, and have its buttons pressed by
 * mistake. Edges are wherever they say.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const sdkPath = '/evenkeel.js';

/** The demo's page and the browser SDK, for development. */
export class Page implements Route {
  readonly isShared = true;
  readonly #dir: string;

  /** @param dir folder of the page; by default the demo's beside this service. */
  constructor(dir: string = defaultDir()) {
    this.#dir = dir;
  }

  has(path: string): boolean {
    return path === sdkPath || Object.hasOwn(pageFiles, path);
  }

  methods(): readonly string[] {
    return ['GET', 'HEAD'];
  }

  /** Sends the file behind the path, read anew each time so that an edited page shows on reload. */
  async answer(_request: IncomingMessage, response: ServerResponse, { pathname: path }: URL): Promise<void> {
    const file = path === sdkPath ? sdkFile() : join(this.#dir, pageFiles[path] ?? '');
    await sendFile(response, file ?? '', {
      hint: path === sdkPath ? 'build the browser SDK first (npm run build)' : 'set EVENKEEL_PAGE_DIR',
      headers: {
        'content-security-policy': contentSecurityPolicy,
        'cross-origin-opener-policy': 'same-origin',
        // The SDK is for pages of others too.
        ...(path === sdkPath ? { 'cross-origin-resource-policy': 'cross-origin' } : {}),
      },
    });
  }
}

/** Where the SDK's bundle is: a file to serve, never imported here. */
function sdkFile(): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve('@evenkeel/client/browser'));
  } catch {
    return undefined;
  }
}

function defaultDir(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'demo', 'public');
}
