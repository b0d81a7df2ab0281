import type { Deniable } from '@evenkeel/mesh';
import { type CloseCode, closeCodes } from '@evenkeel/protocol';
import type { Life } from '../life/life.js';
import type { Directory, Listed } from '../session/directory.js';

/** Records are gathered for so long: each walk looks at every session. */
const gatherMs = 250;

/** A socket that can be closed, with its session. */
interface Endable extends Listed {
  end(reason: 'disconnected', why: CloseCode): void;
}

export interface DenyingOptions {
  denials: { denies(who: Deniable): boolean };
  directory: Pick<Directory<Endable>, 'tracked'>;
  life: Pick<Life, 'endAway'>;
}

/** What an edge does about those that operators keep out. */
export class Denying {
  /** Sockets closed, and upgrades refused. */
  denied = 0;
  readonly #options: DenyingOptions;
  /** Sockets that are being closed, and have been counted. */
  readonly #closing = new WeakSet<Endable>();
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: DenyingOptions) {
    this.#options = options;
  }

  /** Whether this ticket's user or session is kept out; counts it. */
  readonly denies = (who: Deniable): boolean => {
    const isDenied = this.#options.denials.denies(who);
    if (isDenied) this.denied += 1;
    return isDenied;
  };

  /**
   * Somebody may be kept out who was not: soon closes their sockets, whatever state they are in, and ends their sessions, those
   * without a socket too. Once for all that is told in a quarter of a second.
   */
  enforce(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#walk();
    }, gatherMs);
  }

  stop(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
  }

  #walk(): void {
    const { denials, directory, life } = this.#options;
    for (const session of [...directory.tracked()]) {
      if (!denials.denies(session.claims)) continue;
      if (!this.#closing.has(session)) this.denied += 1;
      this.#closing.add(session);
      session.end('disconnected', closeCodes.denied);
    }
    life.endAway((who) => denials.denies(who), 'disconnected');
  }
}
