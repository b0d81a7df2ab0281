import {
  type Action,
  type Authority,
  closedAuthority,
  Decider,
  type Holder,
  type Namespaces,
  newerPass,
  openAuthority,
  Passes,
} from '@evenkeel/access';
import {
  type ErrorCode,
  errorCodes,
  type PassHold,
  refreshKey,
  type UnsubscribedFrame,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { z } from 'zod';
import type { Permission, Refreshed, Verdict } from '../session/ports.js';
import type { Authorizations } from './authorizations.js';
import type { Answered, Questions } from './questions.js';

/** Longest message of a gateway that a client is told, characters; the rest is cut. */
const maxMessage = 1_024;

/** What a gateway answers. */
const refreshAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), pass: z.string(), exp: z.number().int().positive().optional() }),
  z.object({
    ok: z.literal(false),
    code: z.string(),
    message: z.string().transform((text) => text.slice(0, maxMessage)),
  }),
]);

export interface EdgeAccessOptions {
  namespaces: Namespaces;
  /** Those of tickets. */
  secrets: readonly string[];
  /** Clients authenticate by tokens, so that a ticket without a pass gives nothing. */
  needsPass: boolean;
  questions: Pick<Questions, 'ask'>;
  authorizations: Pick<Authorizations, 'ask' | 'mayReview' | 'forget'>;
}

/** Who may do what on this edge, and what was counted of it. */
export class EdgeAccess {
  readonly forbidden: Record<Action, number> = { subscribe: 0, publish: 0, request: 0 };
  readonly takenAway: Record<UnsubscribedFrame['reason'], number> = { revoked: 0, expired: 0, service: 0 };
  readonly refreshes = { refreshed: 0, refused: 0 };
  /** Connections closed because their tokens had expired. */
  outlived = 0;
  readonly #options: EdgeAccessOptions;
  readonly #passes: Passes;
  readonly #decider: Decider;

  constructor(options: EdgeAccessOptions) {
    this.#options = options;
    this.#passes = new Passes(options.secrets);
    this.#decider = new Decider(options.namespaces);
  }

  /** The rules that count. */
  get namespaces(): Namespaces {
    return this.#decider.namespaces;
  }

  /** Distinct sets of grants that are known, and what is remembered of them. */
  get size(): { sets: number; decisions: number } {
    return this.#decider.size;
  }

  /** Decides by these from now on; whoever has sessions has them reviewed. */
  replace(namespaces: Namespaces): void {
    this.#decider.replace(namespaces);
    this.#options.authorizations.forget();
  }

  authority({ uid, pass: held }: TicketClaims, presented: string | undefined): Authority {
    const authority = this.#passes.authority(uid, presented, held);
    return authority === openAuthority && this.#options.needsPass ? closedAuthority(undefined) : authority;
  }

  holder(uid: string, { grants, byDefault }: Authority): Holder {
    return this.#decider.holder(uid, grants, byDefault);
  }

  ask(claims: TicketClaims, permission: Permission): Promise<Verdict> {
    return this.#options.authorizations.ask(claims, permission);
  }

  isRelay(topic: string): boolean {
    return this.namespaces.isRelay(topic);
  }

  mayReview(): boolean {
    return this.#options.authorizations.mayReview();
  }

  async refresh(claims: TicketClaims, token: string, hold: PassHold | undefined): Promise<Refreshed> {
    const { uid, sid } = claims;
    const question = { token, uid, sid, ...(hold && { rev: hold.rev }) };
    const refreshed = this.#refreshed(
      await this.#options.questions.ask(refreshKey, claims, question),
      uid,
      hold,
    );
    this.refreshes[refreshed.is] += 1;
    return refreshed;
  }

  forbade(action: Action): void {
    this.forbidden[action] += 1;
  }

  tookAway(why: UnsubscribedFrame['reason']): void {
    this.takenAway[why] += 1;
  }

  expired(): void {
    this.outlived += 1;
  }

  #refreshed(answered: Answered, uid: string, hold: PassHold | undefined): Refreshed {
    if (answered.is !== 'answer') return unanswered(answered.is);
    const answer = refreshAnswer.safeParse(answered.body);
    if (!answer.success) return unanswered('silent');
    if (!answer.data.ok) {
      const { code, message } = answer.data;
      return code === 'bad-credentials'
        ? refused(errorCodes.forbidden, message)
        : refused(errorCodes.requestTimeout, message);
    }
    const { pass, exp } = answer.data;
    // Whoever may answer requests might have answered this one.
    const authority = this.#passes.check(pass, uid);
    if (authority?.hold === undefined || newerPass(hold, authority.hold) !== authority.hold) {
      return refused(errorCodes.requestTimeout, 'the new pass is not newer than the one before; try again');
    }
    // By the clock of this edge, as tickets have it.
    const ends = exp === undefined ? authority : { ...authority, hold: { ...authority.hold, exp } };
    return { is: 'refreshed', authority: ends, pass };
  }
}

const refused = (code: ErrorCode, message: string): Refreshed => ({ is: 'refused', code, message });

function unanswered(why: 'unrouted' | 'silent' | 'unavailable'): Refreshed {
  if (why === 'silent')
    return refused(errorCodes.requestTimeout, 'no gateway has answered in time; try again');
  const what = why === 'unrouted' ? 'no gateway is there' : 'the broker does not take it now';
  return refused(errorCodes.brokerUnavailable, `${what}; try again before the token expires`);
}
