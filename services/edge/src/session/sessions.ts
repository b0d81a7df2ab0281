import { closeCodes } from '@evenkeel/protocol';
import type { Connection } from '../transport/connection.js';
import { Session, type SessionOptions } from './session.js';

const sweepMs = 1_000;
/** A sweep that comes this much late tells of this process, not of its clients. */
const lateMs = 1_000;

/** All sessions of this edge, from their connections' opening on. */
export class Sessions {
  readonly #options: SessionOptions;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Takes an accepted connection over. */
  readonly accept = (connection: Connection): void => {
    const session = new Session(connection, this.#options);
    connection.owner = session;
    session.start();
    const { address, isBare } = connection;
    this.#options.log.debug({ session: session.key, address, isBare }, 'socket opened');
  };

  /** Looks for deadlines from now on. */
  start(): void {
    let dueAtMs = this.#options.now() + sweepMs;
    let wasLate = false;
    this.#sweeper = setInterval(() => {
      const nowMs = this.#options.now();
      const isLate = nowMs - dueAtMs > lateMs;
      dueAtMs = nowMs + sweepMs;
      // This process stood still: what clients have sent meanwhile is read before any of them is too late.
      const isExcused = isLate && !wasLate;
      wasLate = isLate;
      if (isExcused) return;
      for (const session of [...this.#options.directory.tracked()]) session.sweep(nowMs);
    }, sweepMs);
  }

  stop(): void {
    clearInterval(this.#sweeper);
  }

  /** Closes what is still open, for clients to go elsewhere. */
  closeAll(): void {
    for (const session of [...this.#options.directory.tracked()]) session.close(closeCodes.drained);
  }
}
