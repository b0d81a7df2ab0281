import type { IncomingMessage, ServerResponse } from 'node:http';
import { LogLimit } from '@evenkeel/pace';
import { type Log, Refusal, type Route } from '@evenkeel/runtime';

/** Who is refused because of who or where they are. Whoever is only not logged in yet is no news. */
const told = ['forbidden', 'csrf', 'host', 'insecure', 'bad-token', 'rate-limited'] as const;
export type ToldRefusal = (typeof told)[number];

/** One line of each kind in this time; the next one says how many there were between. */
const logEveryMs = 10_000;

export interface RefusalsOptions {
  readonly onRefused: (code: ToldRefusal) => void;
  readonly log: Pick<Log, 'warn'>;
  readonly now: () => number;
}

/** Notes whom the routes refuse, and why: in the log, at a pace that no flood of them raises, and in the metrics. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #limits = new Map(told.map((code) => [code, new LogLimit(logEveryMs)]));

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** The route, whose refusals are noted. */
  of(route: Route): Route {
    return {
      has: (path) => route.has(path),
      methods: (path) => route.methods(path),
      isShared: route.isShared,
      ...(route.isFree === undefined ? {} : { isFree: route.isFree }),
      answer: async (request: IncomingMessage, response: ServerResponse, url: URL, address: string) => {
        try {
          await route.answer(request, response, url, address);
        } catch (error) {
          if (error instanceof Refusal) this.#note(error, url.pathname, address);
          throw error;
        }
      },
    };
  }

  #note(refusal: Refusal, path: string, address: string): void {
    const code = told.find((each) => each === refusal.code);
    if (code === undefined) return;
    const { onRefused, log, now } = this.#options;
    onRefused(code);
    const suppressed = this.#limits.get(code)?.pass(now());
    if (suppressed === undefined) return;
    log.warn({ code, reason: refusal.message, path, address, suppressed }, 'request refused');
  }
}
