import { closeCodes, type GapReason, logged } from '@evenkeel/protocol';
import type { Connection } from '../transport/connection.js';
import type { SessionOptions } from './options.js';
import { Session } from './session.js';

const sweepMs = 1_000;
/** An edge that nobody can ask for its sessions keeps them for so many sweeps. */
const unaskedSweeps = 5;

export interface SessionsOptions extends SessionOptions<Session> {
  /** Whether other edges can ask this one, or it consumes nothing anyway. */
  canBeAsked(): boolean;
}
/** A sweep that comes this much late tells of this process, not of its clients. */
const lateMs = 1_000;

/** All sessions of this edge, from their connections' opening on. */
export class Sessions {
  readonly #options: SessionsOptions;
  #unasked = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Takes an accepted connection over. */
  readonly accept = (connection: Connection): void => {
    const session = new Session(connection, this.#options);
    connection.owner = session;
    session.start();
    const { isBare } = connection;
    // The address is made out only if it is written.
    const address = { toJSON: () => connection.address };
    this.#options.log.debug({ ...logged(session.claims), address, isBare }, 'socket opened');
  };

  /** Looks for deadlines from now on. */
  start(): void {
    let dueAtMs = this.#options.now() + sweepMs;
    let wasLate = false;
    this.#sweeper = setInterval(() => {
      const nowMs = this.#options.now();
      this.#stayAskable();
      const isLate = nowMs - dueAtMs > lateMs;
      dueAtMs = nowMs + sweepMs;
      // This process stood still: what clients have sent meanwhile is read before any of them is too late.
      const isExcused = isLate && !wasLate;
      wasLate = isLate;
      if (isExcused) return;
      for (const session of [...this.#options.directory.tracked()]) session.sweep(nowMs);
    }, sweepMs);
  }

  /** RabbitMQ has dropped something from a session's queue: whoever has it here is to know, or who had it last. */
  dropped(key: string, why: GapReason, generation: number): void {
    const { directory, ports } = this.#options;
    ports.leftBehind.dropped(key, why, generation);
    directory.get(key)?.intake.dropped(why, generation);
  }

  /** Who cannot be asked for a session looks dead to others, and must not have any. */
  #stayAskable(): void {
    const { canBeAsked, directory, log } = this.#options;
    this.#unasked = canBeAsked() ? 0 : this.#unasked + 1;
    if (this.#unasked <= unaskedSweeps || directory.size === 0) return;
    log.warn({ sessions: directory.size }, 'commands do not arrive: sessions are given back');
    this.closeAll();
  }

  stop(): void {
    clearInterval(this.#sweeper);
  }

  /** Closes what is still open, for clients to go elsewhere. */
  closeAll(): void {
    for (const session of [...this.#options.directory.tracked()]) session.close(closeCodes.drained);
  }
}
