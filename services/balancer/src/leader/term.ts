import { sleep } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';

/** What leading consists of. */
export interface TermParts {
  /** Whether this balancer is the leader at this moment. */
  isLeading(): boolean;
  /** Takes over: what the last leader has left, then the commands. */
  begin(): Promise<void>;
  /** Lets go at once of what only a leader may do. */
  follow(): void;
  /** Ends what is under way. */
  end(): Promise<void>;
  log: Pick<Log, 'error'>;
}

const retryMs = 500;

/** One change of leadership after the other, each to its end. */
export class Term {
  readonly #parts: TermParts;
  #last: Promise<void> = Promise.resolve();
  #failure: string | undefined;

  constructor(parts: TermParts) {
    this.#parts = parts;
  }

  /** True, or why this balancer does not come to lead, though it is its turn. */
  readiness(): true | string {
    return this.#failure === undefined || `taking over fails: ${this.#failure}`;
  }

  /** Leading begins; tried until it succeeds, or leading has ended again. */
  won(): void {
    this.#last = this.#last.then(async () => {
      while (this.#parts.isLeading()) {
        try {
          await this.#parts.begin();
          break;
        } catch (error) {
          this.#failure = error instanceof Error ? error.message : String(error);
          this.#parts.log.error({ err: error }, 'taking over failed, trying again');
          await sleep(retryMs);
        }
      }
      this.#failure = undefined;
    });
  }

  lost(): void {
    this.#parts.follow();
    this.#last = this.#last
      .then(() => this.#parts.end())
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'stepping down failed'));
  }

  /** Resolves when every change so far has come to its end. */
  settled(): Promise<void> {
    return this.#last;
  }
}
