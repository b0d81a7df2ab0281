import { LogLimits } from '@evenkeel/pace';

/** Each reason is logged once in so long, ms. */
const everyMs = 10_000;

/** One client that is not served. */
export interface Refused {
  /** The code of the answer, or the limit that was met. */
  readonly reason: string;
  /** Of the answer; undefined: there was none. */
  readonly status?: number | undefined;
  /** What the client was told. */
  readonly said?: string | undefined;
  readonly address?: string | undefined;
  /** Of the request. */
  readonly path?: string | undefined;
  readonly user?: string | undefined;
  readonly session?: string | undefined;
}

/** The part of a log that is used. */
interface LogPart {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** Reasons that are not logged like the others. */
interface Exceptions {
  /** Of these the log says more elsewhere. */
  readonly saidElsewhere: ReadonlySet<string>;
  /** Answers of 500 and more that are no reason to look. */
  readonly expected: ReadonlySet<string>;
}

/** Whoever asks for what is not there, be it a scanner or a browser that wants an icon, is refused nothing. */
const isMisdirected = ({ status }: Refused): boolean => status === 404 || status === 405;

/** Writes to the log who is not served and why: of each reason one once every 10 s, with how many were left out. */
export class RefusalLog {
  readonly #log: LogPart;
  readonly #exceptions: Exceptions;
  readonly #limits = new LogLimits(everyMs);

  constructor(log: LogPart, exceptions: Exceptions) {
    this.#log = log;
    this.#exceptions = exceptions;
  }

  tell(refused: Refused, nowMs: number): void {
    const { saidElsewhere, expected } = this.#exceptions;
    if (saidElsewhere.has(refused.reason) || isMisdirected(refused)) return;
    const suppressed = this.#limits.pass(refused.reason, nowMs);
    if (suppressed === undefined) return;
    // What clients do wrong is theirs to mend.
    const isOurs = (refused.status ?? 0) >= 500 && !expected.has(refused.reason);
    this.#log[isOurs ? 'warn' : 'info']({ ...refused, suppressed }, 'refused');
  }
}
