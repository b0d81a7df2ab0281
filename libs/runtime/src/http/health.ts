import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Route } from './route.js';

const alive = '/healthz';
const ready = '/readyz';

/** `/healthz` and `/readyz` for load balancers: the status and nothing else, to anybody. */
export class HealthRoutes implements Route {
  readonly isShared = false;
  readonly isFree = true;
  readonly #isReady: () => boolean;

  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
  }

  has(path: string): boolean {
    return path === alive || path === ready;
  }

  methods(): readonly string[] {
    return ['GET', 'HEAD'];
  }

  async answer(_request: IncomingMessage, response: ServerResponse, { pathname }: URL): Promise<void> {
    const isGood = pathname === alive || this.#isReady();
    response.writeHead(isGood ? 200 : 503, { 'content-length': 0, 'cache-control': 'no-store' }).end();
  }
}
