import { type Grants, GrantsError, readGrants } from '@evenkeel/access';
import { postSigned, type SignedEndpoint } from '@evenkeel/runtime';
import { z } from 'zod';
import { AuthError, type Credentials, type Identity, isEnd, uidOf } from './credentials.js';

const limits = { timeoutMs: 5_000, maxBytes: 65_536 } as const;
/** Questions open at most; beyond it nobody can be let in now. */
const maxOpen = 256;

const answerSchema = z.object({
  user: z.string(),
  grants: z.unknown().optional(),
  /** Ms since the epoch. */
  expiresAt: z.number().int().positive(),
});

/** Users by an endpoint of the application, which knows its own cookies and tokens. What it says is never remembered. */
export class HookAuthentication {
  readonly #endpoint: SignedEndpoint;
  readonly #wallNow: () => number;
  #open = 0;

  /** `wallNow`: ms since the epoch. */
  constructor(endpoint: SignedEndpoint, wallNow: () => number) {
    this.#endpoint = endpoint;
    this.#wallNow = wallNow;
  }

  /** @throws AuthError */
  async authenticate({ authorization, cookie, origin, address }: Credentials): Promise<Identity> {
    if (authorization === undefined && cookie === undefined) {
      const message = "send the application's cookie, or Authorization";
      throw new AuthError('no-credentials', message);
    }
    const { status, answer: said } = await this.#ask({ cookie, authorization, origin, address });
    if (status === 401 || status === 403)
      throw new AuthError(
        'bad-credentials',
        'the application does not accept these credentials; get new ones',
      );
    if (status !== 200) throw unavailable(`it answers ${status}`);
    const answer = answerSchema.safeParse(said);
    if (!answer.success) throw unavailable('it answers what is no {user, grants?, expiresAt}');
    const { user, grants, expiresAt } = answer.data;
    if (expiresAt <= this.#wallNow())
      throw new AuthError(
        'bad-credentials',
        '`expiresAt` of the application is over (ms since 1970); get new ones',
      );
    if (!isEnd(expiresAt, this.#wallNow()))
      throw new AuthError('bad-credentials', '`expiresAt` of the application is no time; give ms since 1970');
    const uid = uidOf(user, 'bad-credentials', 'the `user` of the application cannot be used: ');
    return { uid, token: { grants: grantsOf(grants), expiresAtMs: expiresAt } };
  }

  async #ask(question: object) {
    if (this.#open >= maxOpen) throw unavailable('too many questions are open');
    this.#open += 1;
    try {
      return await postSigned(this.#endpoint, question, { ...limits, nowMs: this.#wallNow() });
    } catch (cause) {
      throw unavailable('it does not answer', cause);
    } finally {
      this.#open -= 1;
    }
  }
}

function grantsOf(grants: unknown): Grants | undefined {
  try {
    return readGrants(grants);
  } catch (cause) {
    if (cause instanceof GrantsError) throw new AuthError('bad-credentials', cause.message, cause);
    throw cause;
  }
}

const unavailable = (why: string, cause?: unknown) =>
  new AuthError('hook-unavailable', `the application cannot say now who this is (${why})`, cause);
