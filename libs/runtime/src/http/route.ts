import type { IncomingMessage, ServerResponse } from 'node:http';

/** One path of a service's public server, or a few that belong together. */
export interface Route {
  has(path: string): boolean;
  /** Methods that a path of it takes, beside OPTIONS; others are refused before {@link answer} is asked. */
  methods(path: string): readonly string[];
  /** Whether pages of other origins may read its answers, as the settings allow. */
  readonly isShared: boolean;
  /** Asked by load balancers, so that no limit per address holds. */
  readonly isFree?: boolean;
  /** Answers a request to one of its paths. `address`: of the client. @throws Refusal */
  answer(request: IncomingMessage, response: ServerResponse, url: URL, address: string): Promise<void>;
}
