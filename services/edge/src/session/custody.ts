import { withDeadline } from '@evenkeel/pace';
import { type CloseCode, type GapReason, gapReasons, planOfMove, sessionEnded } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { Connection } from '../transport/connection.js';
import type { Intake } from './intake.js';
import { type LetGo, letGoBy } from './left-behind.js';
import { attachKind } from './load.js';
import type { EndReason, HandoverAnswer, SessionPorts } from './ports.js';
import { type Release, unheld } from './release.js';

/** Longest that a client which has said `bye` waits for its answer. What is not done by then is tried on without it. */
const endMs = 3_000;

/** What an edge owes a session beyond its connection: to tell what becomes of it, and to see to it until somebody else does. */
export class Custody {
  readonly #claims: TicketClaims;
  readonly #connection: Connection;
  readonly #ports: Pick<SessionPorts, 'life' | 'handover' | 'journal' | 'leftBehind'>;
  #ending: EndReason | undefined;
  /** Nobody else sees to it, should this connection not live to be welcomed. */
  #isAcquired = false;
  #inherited = unheld;
  /** The same, to be remembered if it does not begin here. */
  #left: LetGo | undefined;

  constructor(
    connection: Connection,
    ports: Pick<SessionPorts, 'life' | 'handover' | 'journal' | 'leftBehind'>,
  ) {
    this.#claims = connection.claims;
    this.#connection = connection;
    this.#ports = ports;
  }

  /** It is to end, and not only its connection. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  /** How whoever had it before has let it go, for who comes next if it does not begin here. */
  get inherited(): Release {
    return this.#inherited;
  }

  inherit(release: Release): void {
    this.#inherited = release;
    this.#left = letGoBy(release, release.position, true);
  }

  /** One edge has said how it left it, and says so once; another is silent. */
  keep(answer: HandoverAnswer): void {
    this.#isAcquired = true;
    this.#left = letGoBy(answer, answer.position, answer.outcome === 'released');
  }

  /** How an edge had left it a while ago, which says so once; undefined: that is over. */
  heard(answer: HandoverAnswer | undefined): void {
    this.#left = answer && letGoBy(answer, answer.position, false);
  }

  /** It could not be attached: whoever had it may have let it go. */
  failed(): void {
    this.#isAcquired = !this.#claims.isNew;
  }

  acquired(isResumed: boolean): void {
    this.#isAcquired = isResumed;
  }

  /** `connection`: as the client knows it; empty: a bare one. `info`: what others are told of it, as JSON text. */
  welcomed(
    { isResumed, missed }: { readonly isResumed: boolean; readonly missed: GapReason | undefined },
    connection: string,
    info: string | undefined,
  ): void {
    const { life, handover, journal } = this.#ports;
    const { from, move } = this.#claims;
    const kind = attachKind(this.#claims, isResumed);
    const moved = move === undefined ? {} : { from, plan: planOfMove(move) };
    journal.note(kind === 'resumed' ? kind : 'attached', this.#claims, { kind, connection, ...moved });
    const isMove = move !== undefined;
    const wasAway = handover.wasAway(this.#claims);
    // Its queue had gone, and is a new one that another edge has made.
    const isAsBefore = isResumed && missed !== gapReasons.sessionExpired;
    life.welcomed(this.#claims, { isResumed: isAsBefore, wasAway, isMove, info });
  }

  /** Something is missing from its queue. */
  gap(reason: GapReason): void {
    if (reason === gapReasons.sessionExpired) this.#ports.life.renewed(this.#claims);
  }

  /** Its client is told a gap, of a topic or of its events. */
  toldGap(reason: GapReason, topic: string | undefined): void {
    this.#ports.journal.note('gap', this.#claims, { reason, topic });
  }

  /** Its connection has closed, by its client with `code`, and no other edge has asked for it. */
  lost(code: number | undefined): void {
    this.#ports.journal.note('detached', this.#claims, { code: this.#connection.closeCode });
    if (!this.isEnding) this.#ports.life.lost(this.#claims, false, code);
  }

  /**
   * It has come here and was not welcomed: it waits for its next connection, or its end. `hasBegun`: what it has left of its queue has been
   * noted.
   */
  leaveBehind(
    { droppedBefore, isWatched }: Pick<Intake, 'droppedBefore' | 'isWatched'>,
    hasBegun = false,
  ): void {
    if (!this.#isAcquired) return;
    const { uid, sid, move } = this.#claims;
    // Applications know that it is away, unless it came by a move.
    this.#ports.life.lost(this.#claims, move === undefined);
    const { leftBehind } = this.#ports;
    const key = `${uid}.${sid}`;
    // What an earlier connection here has left is still there.
    if (!this.#left || hasBegun || leftBehind.of(key)) return;
    leftBehind.note(key, this.#left, isWatched);
    if (droppedBefore) leftBehind.dropped(key, droppedBefore);
  }

  /**
   * An operator's word closes the connection at once, with `why`. `isLeaving`: another edge is taking the session, and is to end
   * it.
   */
  end(reason: EndReason, isLeaving: boolean, why: CloseCode): void {
    if (!isLeaving) this.#ending ??= reason;
    if (reason === 'disconnected') this.#connection.close(why);
  }

  /** Ends the session, then its connection. */
  async finish(): Promise<void> {
    if (this.#ending === undefined) return;
    await withDeadline(this.#ports.life.end(this.#claims, this.#ending), endMs, () => undefined);
    if (this.#connection.isOpen) this.#connection.close(sessionEnded);
  }
}
