import {
  type Action,
  type Authority,
  afterTakeover,
  type Decision,
  type Holder,
  newerPass,
} from '@evenkeel/access';
import { type CloseCode, closeCodes, type PassHold, type UnsubscribedFrame } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { errorFrame, expiringFrame, passFrame } from '../frame/frames.js';
import { Placed } from './placed.js';
import type { Access, Verdict } from './ports.js';
import type { Placing } from './service-ports.js';

/** How long before the end of its token a client is told, ms. */
const told = { longestMs: 60_000, shortestMs: 2_000 } as const;

export interface SessionAccessOptions {
  readonly claims: TicketClaims;
  readonly access: Access;
  readonly placing?: Placing | undefined;
  now(): number;
  send(frame: string): void;
  /** What it may do may be less than before. */
  onChanged(): void;
  close(why: CloseCode): void;
}

/** What one session may do, and until when. */
export class SessionAccess {
  /** Topics that it has whatever its user may. */
  readonly placed: Placed;
  readonly #options: SessionAccessOptions;
  #authority: Authority;
  #holder: Holder | undefined;
  /** Got by a refresh here: an edge that takes the session over before its client has presented it elsewhere needs it. */
  #refreshed: string | undefined;
  /** Undefined: its client has been told. */
  #tellAtMs: number | undefined;
  #isRefreshing = false;

  constructor(options: SessionAccessOptions) {
    this.#options = options;
    this.placed = new Placed(options);
    this.#authority = options.access.authority(options.claims, undefined);
    this.#tellAtMs = this.#dueAtMs();
  }

  /** The client has said hello with this pass. */
  present(pass: string | undefined): void {
    const { access, claims } = this.#options;
    if (pass !== undefined) this.#take(access.authority(claims, pass));
  }

  /** The pass that counts. */
  get hold(): PassHold | undefined {
    return this.#authority.hold;
  }

  /** What whoever takes the session over is told. */
  get left(): { pass?: PassHold; newPass?: string; placed?: string[] } {
    const { hold } = this;
    return {
      ...(hold && { pass: hold }),
      ...(this.#refreshed && { newPass: this.#refreshed }),
      ...this.placed.left,
    };
  }

  /** What the user's token says of the user, for others to see. */
  get info(): unknown {
    return this.#authority.grants?.info;
  }

  decide(action: Action, topic: string): Decision {
    if (action === 'subscribe' && this.placed.has(topic)) return 'allow';
    this.#holder ??= this.#options.access.holder(this.#options.claims.uid, this.#authority);
    return this.#holder.decide(action, topic);
  }

  /** Never rejects. */
  ask(whom: Exclude<Decision, 'allow' | 'forbid'>, action: Action, topic: string): Promise<Verdict> {
    return this.#options.access.ask(this.#options.claims, { whom, action, topic });
  }

  /** Whether what clients publish to this topic goes to its subscribers. */
  isRelay(topic: string): boolean {
    return this.#options.access.isRelay(topic);
  }

  /** Whether a topic may be asked about again now because the rules have changed. */
  mayReview(): boolean {
    return this.#options.access.mayReview();
  }

  /** Something was refused. */
  forbade(action: Action): void {
    this.#options.access.forbade(action);
  }

  /** A topic was taken away. */
  tookAway(why: UnsubscribedFrame['reason']): void {
    this.#options.access.tookAway(why);
  }

  /** Another connection had the session, under `pass`: the newer one counts. `newPass`: itself, where its client may not have it. */
  wasHeld(pass: PassHold | undefined, newPass?: string): void {
    if (newerPass(this.hold, pass)?.hash === this.hold?.hash) return;
    const { access, claims } = this.#options;
    const itself = newPass === undefined ? undefined : access.authority(claims, newPass);
    this.#take(itself?.hold?.hash === pass?.hash && itself ? itself : afterTakeover(this.#authority, pass));
  }

  /** Whether a new token is being exchanged: one at a time. */
  get isRefreshing(): boolean {
    return this.#isRefreshing;
  }

  /** The client brings a new token. Never rejects. */
  async refresh({ id, token }: { readonly id: string; readonly token: string }): Promise<void> {
    const { access, claims, send } = this.#options;
    this.#isRefreshing = true;
    const answer = await access.refresh(claims, token, this.hold);
    this.#isRefreshing = false;
    if (answer.is === 'refused') return send(errorFrame(id, answer.code, answer.message));
    this.#refreshed = answer.pass;
    this.#take(answer.authority);
    send(passFrame(id, answer.pass));
  }

  /** The end of the token, and the word of it. `isWelcomed`: the client may be told. */
  sweep(nowMs: number, isWelcomed: boolean): void {
    if (isWelcomed) this.placed.sweep();
    const { hold } = this;
    if (hold === undefined) return;
    if (nowMs >= hold.exp) {
      this.#options.access.expired();
      return this.#options.close(closeCodes.tokenExpired);
    }
    if (this.#tellAtMs === undefined || !isWelcomed || nowMs < this.#tellAtMs) return;
    this.#tellAtMs = undefined;
    this.#options.send(expiringFrame(hold.exp - nowMs));
  }

  #take(authority: Authority): void {
    this.#authority = authority;
    this.#holder = undefined;
    this.#tellAtMs = this.#dueAtMs();
    this.#options.onChanged();
  }

  #dueAtMs(): number | undefined {
    const { hold } = this;
    if (hold === undefined) return undefined;
    const leftMs = hold.exp - this.#options.now();
    return hold.exp - Math.max(told.shortestMs, Math.min(told.longestMs, leftMs / 4));
  }
}
