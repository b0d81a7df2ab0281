import { LogLimits } from '@evenkeel/pace';
import type { Log, Refused } from '@evenkeel/runtime';

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

/** Notes whom the console refuses, and why: in the log, at a pace that no flood of them raises, and in the metrics. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #limits = new LogLimits(logEveryMs);

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  note({ reason, said, address, path }: Refused): void {
    const code = told.find((each) => each === reason);
    if (code === undefined) return;
    const { onRefused, log, now } = this.#options;
    onRefused(code);
    const suppressed = this.#limits.pass(code, now());
    if (suppressed === undefined) return;
    log.warn({ code, reason: said, path, address, suppressed }, 'request refused');
  }
}
