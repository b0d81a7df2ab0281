import type { CommandOf, PassHold } from '@evenkeel/protocol';
import { type TicketSigner, ticketLifetime } from '@evenkeel/ticket';
import type { EdgeConfig } from '../config.js';
import { moveFrame } from '../frame/frames.js';
import type { MoveOutcome, PlannedMove } from '../session/planned-move.js';
import type { SessionState } from '../session/states.js';
import type { Connection } from '../transport/connection.js';
import { heldMs } from '../transport/gate.js';

/** How often a client that the front brings back is told to move, in all. */
const maxTries = 5;
/** From its coming back to the next try, ms: long enough for the client to see that the last one, held that long, has failed. */
const againMs = heldMs + 300;

/** `pinned`: the front keeps it here. */
export type AttemptOutcome = MoveOutcome | 'pinned';

/** A session on its way. */
export interface Departing {
  readonly claims: { readonly uid: string; readonly sid: string; readonly epoch: number };
  readonly connection: Pick<Connection, 'isOpen' | 'send'>;
  readonly state: SessionState;
  readonly pin: { mark(): void };
  readonly access: { readonly hold: PassHold | undefined };
  move: PlannedMove | undefined;
}

export interface AttemptOptions {
  readonly command: CommandOf<'reconnect'>;
  readonly deadlineMs: number;
  readonly config: Pick<EdgeConfig, 'node'>;
  readonly tickets: Pick<TicketSigner, 'issue'>;
  now(): number;
  /** Called once. */
  onEnd(outcome: AttemptOutcome): void;
}

/**
 * One session's planned move: its client is told, and told again with another ticket whenever the front brings it back here.
 * A front that hashes the source port, or chooses at random, lets it through in the end; one that hashes the address never
 * does, and the session counts as pinned.
 */
export class Attempt implements PlannedMove {
  readonly move: string;
  readonly deadlineAtMs: number;
  readonly #session: Departing;
  readonly #options: AttemptOptions;
  readonly #beganAtMs: number;
  #epoch: number;
  #tries = 0;
  #again: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(session: Departing, options: AttemptOptions) {
    this.#session = session;
    this.#options = options;
    this.move = options.command.move;
    this.#beganAtMs = options.now();
    this.deadlineAtMs = this.#beganAtMs + options.deadlineMs;
    this.#epoch = session.claims.epoch;
  }

  /** The first try. */
  begin(): void {
    this.#session.move = this;
    this.#tell(this.#beganAtMs);
  }

  cameBack(): string {
    if (this.#again === undefined && !this.#hasEnded) {
      if (this.#options.now() + againMs >= this.deadlineAtMs) this.#giveUp();
      // The last one is held as well: until it is closed the client counts on it.
      else this.#again = setTimeout(() => this.#next(), againMs);
    }
    return this.#options.command.to.url;
  }

  onEnd(outcome: AttemptOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#again);
    this.#options.onEnd(outcome);
  }

  #next(): void {
    this.#again = undefined;
    if (this.#tries >= maxTries) return this.#giveUp();
    // Being released, it has got through after all, and nothing may follow its `moved`.
    if (this.#session.state === 'attached' && this.#session.connection.isOpen)
      this.#tell(this.#options.now());
  }

  #giveUp(): void {
    this.#session.move = undefined;
    this.#session.pin.mark();
    this.onEnd('pinned');
  }

  #tell(nowMs: number): void {
    const { command, config, tickets } = this.#options;
    const { uid, sid } = this.#session.claims;
    const { node, url, boot, clockAheadMs = 0 } = command.to;
    const deadlineMs = this.deadlineAtMs - nowMs;
    this.#tries += 1;
    // Not by the clock: what a gateway issues afterwards is newer, whatever this edge takes the time for.
    this.#epoch += 1;
    const { hold } = this.#session.access;
    const ticket = tickets.issue({
      // By the clock of the edge that it is for, as what follows.
      ...(hold && { pass: { ...hold, exp: hold.exp + clockAheadMs } }),
      uid,
      sid,
      node,
      ...(boot === undefined ? {} : { boot }),
      epoch: this.#epoch,
      expiresAt:
        nowMs + clockAheadMs + Math.min(ticketLifetime.maxMs, Math.max(ticketLifetime.minMs, deadlineMs)),
      from: config.node,
      move: command.move,
    });
    const reason = command.reason ?? 'rebalance';
    // Paced already: the pace is the spread.
    const frame = { move: command.move, node, url, ticket, reason, deadlineMs, jitterMs: 0 };
    this.#session.connection.send(moveFrame(frame));
  }
}
