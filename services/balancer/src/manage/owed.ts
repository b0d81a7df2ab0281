import type { Denials, Denied } from '@evenkeel/mesh';
import { LogLimit } from '@evenkeel/pace';
import type { DenialRecord } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

const everyMs = 1_000;
/** Written in one turn at most. */
const atATime = 500;

export interface OwedOptions {
  denials: Pick<Denials, 'holds' | 'lag'>;
  /** Writes it once more. */
  restore(denied: Denied): Promise<void>;
  /** Whether this balancer leads for certain. */
  mayWrite(): boolean;
  log: Pick<Log, 'warn'>;
}

/**
 * Denials that are in force and that the stream has lost. Every balancer knows them, the leader writes them once more, one after
 * the other: so they are not lost with a leader, and get in nobody's way.
 */
export class Owed {
  readonly #options: OwedOptions;
  readonly #owed = new Map<string, Denied>();
  readonly #failures = new LogLimit(10_000);
  #ticking: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;
  #couldWrite = false;

  constructor(options: OwedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#owed.size;
  }

  add(lost: readonly Denied[]): void {
    for (const denied of lost) this.#owed.set(keyOf(denied), denied);
  }

  /** Owes them no longer, since something else is about to be written about them. Returns them, for the case that this fails. */
  take(isAbout: (denied: Denied) => boolean): Denied[] {
    const taken = [...this.#owed.values()].filter(isAbout);
    for (const denied of taken) this.#owed.delete(keyOf(denied));
    return taken;
  }

  /** The stream has a record about it again. */
  told(record: DenialRecord): void {
    if (record.kind !== 'forget') this.#owed.delete(keyOf(record));
  }

  start(): void {
    this.#ticking = setInterval(() => {
      this.#turn ??= this.#write().finally(() => {
        this.#turn = undefined;
      });
    }, everyMs);
  }

  /** Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#ticking);
    await this.#turn;
  }

  async #write(): Promise<void> {
    const { denials, restore, log } = this.#options;
    // One that has just begun to lead reads first what its predecessor has written.
    const couldWrite = this.#couldWrite;
    this.#couldWrite = this.#mayWrite();
    if (!couldWrite || this.#owed.size === 0) return;
    let written = 0;
    for (const [key, denied] of this.#owed) {
      if (written >= atATime || !this.#mayWrite()) break;
      // It has ended, or somebody has been let in since then.
      if (!denials.holds(denied)) {
        this.#owed.delete(key);
        continue;
      }
      try {
        await restore(denied);
      } catch (err) {
        const suppressed = this.#failures.pass(performance.now());
        if (suppressed !== undefined)
          log.warn({ err, left: this.#owed.size, suppressed }, 'lost denials not written again yet');
        break;
      }
      written += 1;
      if (this.#owed.get(key) === denied) this.#owed.delete(key);
    }
    if (written > 0) log.warn({ written, left: this.#owed.size }, 'lost denials written again');
  }

  #mayWrite(): boolean {
    const { denials, mayWrite } = this.#options;
    return !this.#isStopped && mayWrite() && denials.lag() === undefined;
  }
}

const keyOf = ({ user, session }: { user?: string | undefined; session?: string | undefined }): string =>
  user === undefined ? `s ${session}` : `u ${user}`;
