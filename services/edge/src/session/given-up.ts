import { closeCodes } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';

/** A session that comes back later gets the event once more, and its client closes once more. */
const rememberMs = 600_000;
const maxSessions = 1_000;

interface Given {
  readonly id: string;
  readonly untilMs: number;
}

type Owner = Pick<TicketClaims, 'uid' | 'sid'>;

/**
 * Events for which clients of this edge have closed their connection with 1009: longer than what their library takes. Each is given
 * up when its session comes back here, else it would end one connection after another.
 */
export class GivenUp {
  readonly #sessions = new Map<string, Given>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Its client has closed the connection with `code`; `largest`: `id` of the event that it is for, if that is why. */
  closed({ uid, sid }: Owner, code: number | undefined, largest: string | undefined): void {
    if (code !== closeCodes.tooLarge.code || largest === undefined) return;
    const key = `${uid}.${sid}`;
    this.#sessions.delete(key);
    this.#sessions.set(key, { id: largest, untilMs: this.#now() + rememberMs });
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size > maxSessions) this.#sessions.delete(oldest);
  }

  /** The event of this session that is not to be sent. */
  of({ uid, sid }: Owner): string | undefined {
    const key = `${uid}.${sid}`;
    const given = this.#sessions.get(key);
    if (given === undefined || given.untilMs > this.#now()) return given?.id;
    this.#sessions.delete(key);
    return undefined;
  }
}
