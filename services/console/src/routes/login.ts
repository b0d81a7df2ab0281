import type { IncomingMessage, ServerResponse } from 'node:http';
import { KeyedBuckets } from '@evenkeel/pace';
import { addressKey, type Log, Refusal, type Route, sendJson } from '@evenkeel/runtime';
import { z } from 'zod';
import { type Access, plainCookie, secureCookie } from '../access/access.js';
import { jsonOf } from '../access/body.js';
import { requireScript } from '../access/guard.js';
import { type Sessions, sessionLifetimeMs } from '../access/sessions.js';
import type { Tokens } from '../access/tokens.js';
import type { LoginRequest, Me } from '../api.js';
import type { LoginOutcome } from '../metrics.js';

export interface LoginOptions {
  readonly access: Access;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly onLogin: (outcome: LoginOutcome) => void;
  readonly now: () => number;
  readonly log: Pick<Log, 'info'>;
}

/** Logins that one address (IPv6: one /64 network) may try: so many at once, then one in six seconds. */
const attempts = { burst: 10, perSecond: 1 / 6, addresses: 10_000 };

const loginBody: z.ZodType<LoginRequest> = z.strictObject({ token: z.string().min(1) });
const paths = ['/api/login', '/api/logout', '/api/me'];

/** Logging in and out, and who is. */
export class LoginRoutes implements Route {
  readonly isShared = false;
  readonly #options: LoginOptions;
  readonly #attempts = new KeyedBuckets(attempts.perSecond, attempts.burst, attempts.addresses);

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  has(path: string): boolean {
    return paths.includes(path);
  }

  methods(path: string): readonly string[] {
    return path === '/api/me' ? ['GET', 'HEAD'] : ['POST'];
  }

  /** @throws Refusal */
  async answer(request: IncomingMessage, response: ServerResponse, { pathname: path }: URL, address: string) {
    const { access } = this.#options;
    const way = access.way(request);
    if (path === '/api/me') return sendJson(response, 200, access.who(request, address));
    requireScript(request);
    if (path === '/api/logout') return this.#logout(request, response, way.isSecure);
    if (!way.isPrivate)
      throw new Refusal(
        403,
        'insecure',
        'a token is not sent without TLS: ask by https, or through a tunnel',
      );
    await this.#login(request, response, way.isSecure, address);
  }

  async #login(request: IncomingMessage, response: ServerResponse, isSecure: boolean, address: string) {
    const { sessions, tokens, onLogin, now, log } = this.#options;
    const waitMs = this.#attempts.take(addressKey(address), now());
    if (waitMs > 0) {
      onLogin('paced');
      const seconds = String(Math.ceil(waitMs / 1_000));
      throw new Refusal(
        429,
        'rate-limited',
        'too many logins from this address; come back after Retry-After seconds',
        {
          'retry-after': seconds,
        },
      );
    }
    const body = loginBody.safeParse(await jsonOf(request));
    if (!body.success) throw new Refusal(400, 'bad-login', 'send {"token": "…"}');
    const holder = tokens.holderOf(body.data.token);
    if (holder === undefined) {
      onLogin('refused');
      const message = tokens.isEmpty
        ? 'nobody may log in: set EVENKEEL_CONSOLE_TOKENS (npx evenkeel console-token NAME --role operate)'
        : 'there is no such token; check that all of it was pasted';
      throw new Refusal(401, 'bad-token', message);
    }
    const id = sessions.begin(holder, now());
    onLogin('done');
    log.info({ address, user: holder.name, role: holder.role }, 'logged in');
    const me: Me = { ...holder, isOpen: false };
    sendJson(response, 200, me, { 'set-cookie': cookie(isSecure, id, sessionLifetimeMs / 1_000) });
  }

  #logout(request: IncomingMessage, response: ServerResponse, isSecure: boolean): void {
    const { access, sessions } = this.#options;
    const id = access.sessionId(request);
    if (id !== undefined) sessions.end(id);
    sendJson(response, 200, {}, { 'set-cookie': cookie(isSecure, '', 0) });
  }
}

/** No script reads it, no page of another site has it sent. */
function cookie(isSecure: boolean, id: string, maxAgeSeconds: number): string {
  const name = isSecure ? secureCookie : plainCookie;
  return `${name}=${id}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
