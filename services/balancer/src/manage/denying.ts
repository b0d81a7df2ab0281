import { randomUUID } from 'node:crypto';
import type { Publisher } from '@evenkeel/broker';
import type { Denials, Denied } from '@evenkeel/mesh';
import {
  type DenialRecord,
  fromUid,
  longestDenialMs,
  manageErrors,
  maxDenials,
  queues,
} from '@evenkeel/protocol';
import { type Answer, ManageError } from './answers.js';
import { carried } from './carried.js';
import type { Owed } from './owed.js';

/** A denial may end so much later than allowed: the clock of who asks may be ahead. */
const aheadMs = 60_000;
/** Denials in one answer at most. */
const maxListed = 1_000;

/** Whom a command names: exactly one of the two. */
export interface Subject {
  /** As applications know the user. */
  user?: string | undefined;
  /** `<sid>` or `<uid>.<sid>`. */
  session?: string | undefined;
}

export interface DenyingOptions {
  denials: Pick<Denials, 'hasRoom' | 'inForce'>;
  publisher: Pick<Publisher, 'publish'>;
  /** What is written here is not to be undone by it. */
  owed: Pick<Owed, 'add' | 'take'>;
  /** The user that the balancer logs in as. */
  userId: string | undefined;
  /** ms since the epoch. */
  now(): number;
  /** Longest wait for the broker's confirm. */
  waitMs: number;
}

/** Writes who is kept out. Everybody who has to know reads it from there. */
export class Denying {
  readonly #options: DenyingOptions;

  constructor(options: DenyingOptions) {
    this.#options = options;
  }

  /** @throws ManageError `bad-command`, `bad-user`, `denials-full`, `not-written`. */
  async deny({
    untilMs,
    reason,
    ...who
  }: Subject & { untilMs?: number | undefined; reason?: string | undefined }): Promise<Answer> {
    const { denials, now } = this.#options;
    const atMs = now();
    const lastMs = atMs + longestDenialMs;
    if (untilMs !== undefined && untilMs <= atMs)
      throw new ManageError(
        manageErrors.badCommand,
        '`untilMs` is past; give ms since the epoch, or leave it out for 30 days',
      );
    if (untilMs !== undefined && untilMs > lastMs + aheadMs)
      throw new ManageError(
        manageErrors.badCommand,
        '`untilMs` is more than 30 days ahead; deny again before it ends',
      );
    const subject = recordSubject(who);
    if (!denials.hasRoom() && !this.#isHeld(subject)) {
      throw new ManageError(
        'denials-full',
        `${maxDenials} denials are in force; allow those that are not needed any more`,
      );
    }
    const ends = Math.min(untilMs ?? lastMs, lastMs);
    const id = await this.#replace(isAbout(subject), {
      kind: 'deny',
      ...subject,
      untilMs: ends,
      ...(reason === undefined ? {} : { reason }),
    });
    return { ok: true, ...who, untilMs: ends, id };
  }

  /** @throws ManageError `bad-user`, `not-written`. */
  async allow(who: Subject): Promise<Answer> {
    const subject = recordSubject(who);
    const wasDenied = this.#isHeld(subject);
    const id = await this.#replace(isAbout(subject), { kind: 'allow', ...subject });
    return { ok: true, ...who, wasDenied, id };
  }

  /** Ends all denials of the user and of sessions that are named as the user's. @throws ManageError `bad-user`, `not-written`. */
  async forget(user: string): Promise<{ denials: number }> {
    const uid = carried(user);
    const isTheirs = (denied: Denied) =>
      denied.user === uid || denied.session?.startsWith(`${uid}.`) === true;
    const theirs = [...this.#options.denials.inForce()].filter(isTheirs);
    await this.#replace(isTheirs, { kind: 'forget', user: uid });
    return { denials: theirs.length };
  }

  /** Those in force, the first 1,000. */
  list(): Answer {
    const all = [...this.#options.denials.inForce()];
    const shown = all
      .slice(0, maxListed)
      .map(({ user, ...denied }) => (user === undefined ? denied : { user: fromUid(user), ...denied }));
    return { ok: true, denials: shown, total: all.length };
  }

  /** The stream has lost it: it is written once more, for those who read it later. @throws ManageError `not-written`. */
  async restore(lost: Denied): Promise<void> {
    await this.#write({ kind: 'deny', ...lost });
  }

  #isHeld({ user, session }: Subject): boolean {
    const isIt = isAbout({ user, session });
    for (const denied of this.#options.denials.inForce()) if (isIt(denied)) return true;
    return false;
  }

  /** Writes what takes the place of what the stream is owed. */
  async #replace(isReplaced: (denied: Denied) => boolean, record: Unwritten): Promise<string> {
    const owed = this.#options.owed.take(isReplaced);
    try {
      return await this.#write(record);
    } catch (error) {
      this.#options.owed.add(owed);
      throw error;
    }
  }

  async #write(record: Unwritten): Promise<string> {
    const { publisher, now, waitMs, userId } = this.#options;
    const id = randomUUID();
    const body = JSON.stringify({ ...record, id, atMs: now() } satisfies DenialRecord);
    const properties = {
      contentType: 'application/json',
      persistent: true,
      mandatory: true,
      messageId: id,
      userId,
    };
    let outcome: Awaited<ReturnType<Publisher['publish']>>;
    try {
      outcome = await publisher.publish('', queues.denials, body, properties, waitMs);
    } catch (error) {
      const message = 'RabbitMQ has not confirmed it, and it may be written all the same; ask again';
      throw new ManageError('not-written', message, error);
    }
    if (outcome === 'routed') return id;
    throw new ManageError(
      'not-written',
      `there is no stream ${queues.denials}; a balancer makes it, ask again in 3 s`,
    );
  }
}

type Unwritten = DenialRecord extends infer R
  ? R extends DenialRecord
    ? Omit<R, 'id' | 'atMs'>
    : never
  : never;

const isAbout =
  ({ user, session }: Subject) =>
  (denied: Denied): boolean =>
    user === undefined ? denied.session === session : denied.user === user;

function recordSubject({ user, session }: Subject): { user: string } | { session: string } {
  if (user !== undefined) return { user: carried(user) };
  return { session: session ?? '' };
}
