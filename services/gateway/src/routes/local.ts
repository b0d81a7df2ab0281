import type { IncomingMessage, ServerResponse } from 'node:http';
import { monotonicNow } from '@evenkeel/pace';
import { isNodeName } from '@evenkeel/protocol';
import { Refusal, type Route, sendJson } from '@evenkeel/runtime';
import { crowdView, type ReportedNode } from '../local/crowd-view.js';
import { type LocalAction, type LocalClient, localActions } from '../local/local-client.js';

const prefix = '/local/';
const loopback = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * For development alone: `GET /crowd.json`, what the page is drawn from, and `POST /local/<action>?node=`, what its
 * buttons ask of the `npm start` that runs this mesh.
 */
export class LocalRoutes implements Route {
  readonly isShared = false;
  readonly #nodes: () => readonly ReportedNode[];
  readonly #client: LocalClient | undefined;
  readonly #consoleUrl: string | undefined;
  readonly #now: () => number;

  constructor(
    nodes: () => readonly ReportedNode[],
    client: LocalClient | undefined,
    consoleUrl?: string | undefined,
    now: () => number = monotonicNow,
  ) {
    this.#nodes = nodes;
    this.#client = client;
    this.#consoleUrl = consoleUrl;
    this.#now = now;
  }

  has(path: string): boolean {
    return path === '/crowd.json' || path.startsWith(prefix);
  }

  methods(path: string): readonly string[] {
    return path.startsWith(prefix) ? ['POST'] : ['GET', 'HEAD'];
  }

  /** @throws Refusal */
  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname === '/crowd.json') {
      const view = crowdView(this.#nodes(), await this.#client?.status(this.#now()));
      sendJson(response, 200, { ...view, ...(this.#consoleUrl && { console: this.#consoleUrl }) });
      return;
    }
    const action = localActions.find((name) => url.pathname === `${prefix}${name}`);
    if (action === undefined || this.#client === undefined) {
      const what = localActions.map((name) => `POST ${prefix}${name}`).join(', ');
      throw new Refusal(404, 'not-found', `where npm start runs the mesh there are ${what}`);
    }
    requireOwnPage(request);
    sendJson(response, 200, await this.#client.act(action, nodeOf(url, action)));
  }
}

/**
 * Only this gateway's own page may ask, on this machine: a page of another origin can neither set the header without asking
 * first (and is not answered), nor, by a name of its own for this address, have the right host.
 */
function requireOwnPage({ headers, socket }: IncomingMessage): void {
  const { host = '', origin, 'sec-fetch-site': site = 'same-origin' } = headers;
  const isOwn =
    headers['x-evenkeel-local'] !== undefined &&
    loopback.has(socket.remoteAddress ?? '') &&
    loopbackHost.test(host) &&
    (origin === undefined || origin === `http://${host}`) &&
    site === 'same-origin';
  if (isOwn) return;
  throw new Refusal(
    403,
    'not-local',
    'only the page of this gateway may ask that, on this machine; elsewhere use npx evenkeel local',
  );
}

function nodeOf(url: URL, action: LocalAction): string | undefined {
  const node = url.searchParams.get('node') ?? undefined;
  const isNeeded = action === 'drain' || action === 'uncordon';
  if (node === undefined ? isNeeded : !isNodeName(node)) {
    throw new Refusal(400, 'bad-node', '`node` is the name of a node');
  }
  return node;
}
