import { Allowance } from '@evenkeel/pace';
import { fromUid } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { z } from 'zod';
import type { Permission, Verdict } from '../session/ports.js';
import type { Answered, Questions } from './questions.js';
import { Turns } from './turns.js';

/** How long an answer counts that does not say, and at most, ms. */
const ttl = { defaultMs: 60_000, maxMs: 3_600_000 } as const;
/** Answers remembered at most; the one that has been there longest goes. */
const maxAnswers = 10_000;
/** Questions open over all users: less than may be open at all, so that new tokens have room. */
const maxOpen = { service: 500, hook: 200 } as const;
/** Topics asked about again in a second because the rules have changed. */
const reviewsPerSecond = 200;
/** Who could not be asked is asked again after this, ms. */
const busyMs = 1_000;

const answer = z.object({ allow: z.boolean(), ttlMs: z.number().nonnegative().optional() });

export interface AuthorizationsOptions {
  questions: Pick<Questions, 'ask'>;
  hook: { ask(body: object): Promise<Answered> };
  now(): number;
  /** Default 10,000. */
  maxAnswers?: number;
}

/** Asks the application, and remembers for a time what it said. */
export class Authorizations {
  /** By whom was asked, and what it came to. */
  readonly counts = new Map<string, number>();
  readonly #options: AuthorizationsOptions;
  readonly #answers = new Map<string, Verdict>();
  readonly #asking = new Map<string, Promise<Verdict>>();
  readonly #turns = { service: new Turns(maxOpen.service), hook: new Turns(maxOpen.hook) } as const;
  readonly #reviews: Allowance;
  /** Answers by the rules of before are not remembered. */
  #generation = 0;

  constructor(options: AuthorizationsOptions) {
    this.#options = options;
    this.#reviews = new Allowance(reviewsPerSecond, reviewsPerSecond, options.now);
  }

  /** Answers that are remembered. */
  get size(): number {
    return this.#answers.size;
  }

  /** Never rejects. Who asks while it is being asked gets the same answer. */
  async ask(claims: Pick<TicketClaims, 'uid' | 'sid'>, permission: Permission): Promise<Verdict> {
    const { whom, action, topic } = permission;
    const key = `${whom} ${action} ${claims.uid} ${topic}`;
    const known = this.#answers.get(key);
    if (known && known.untilMs > this.#options.now()) return known;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#askInTurn(claims, permission, key);
      this.#asking.set(key, asking);
    }
    const verdict = await asking;
    if (this.#asking.get(key) === asking) this.#asking.delete(key);
    return verdict;
  }

  /** Whether one topic more may be asked about because the rules have changed: all at once are too many. */
  mayReview(): boolean {
    return this.#reviews.tryTake();
  }

  /** The rules have changed: everybody is asked anew. */
  forget(): void {
    this.#generation += 1;
    this.#answers.clear();
    this.#asking.clear();
  }

  async #askInTurn(
    claims: Pick<TicketClaims, 'uid' | 'sid'>,
    permission: Permission,
    key: string,
  ): Promise<Verdict> {
    const verdict = await this.#turns[permission.whom].take(claims.uid, () =>
      this.#ask(claims, permission, key),
    );
    return verdict ?? { is: 'busy', untilMs: this.#options.now() + busyMs };
  }

  async #ask(
    claims: Pick<TicketClaims, 'uid' | 'sid'>,
    { whom, action, topic }: Permission,
    key: string,
  ): Promise<Verdict> {
    const { questions, hook, now } = this.#options;
    const generation = this.#generation;
    const body = { user: fromUid(claims.uid), session: claims.sid, action, topic };
    const answered =
      whom === 'hook'
        ? await hook.ask(body)
        : await questions.ask(`$authorize.${action}.${topic}`, claims, body);
    const verdict = verdictOf(answered, now());
    const counted = `${whom} ${verdict.is}`;
    this.counts.set(counted, (this.counts.get(counted) ?? 0) + 1);
    // Whoever does not answer is asked again the next time.
    const isAnswer = verdict.is === 'allow' || verdict.is === 'refuse';
    if (isAnswer && generation === this.#generation) this.#remember(key, verdict);
    return verdict;
  }

  #remember(key: string, verdict: Verdict): void {
    const { maxAnswers: most = maxAnswers } = this.#options;
    this.#answers.delete(key);
    this.#answers.set(key, verdict);
    if (this.#answers.size <= most) return;
    const oldest = this.#answers.keys().next();
    if (!oldest.done) this.#answers.delete(oldest.value);
  }
}

function verdictOf(answered: Answered, nowMs: number): Verdict {
  if (answered.is === 'unavailable') return { is: 'busy', untilMs: nowMs + busyMs };
  const read = answered.is === 'answer' ? answer.safeParse(answered.body) : undefined;
  if (!read?.success) return { is: 'none', untilMs: nowMs };
  const { allow, ttlMs = ttl.defaultMs } = read.data;
  return { is: allow ? 'allow' : 'refuse', untilMs: nowMs + Math.min(ttlMs, ttl.maxMs) };
}
