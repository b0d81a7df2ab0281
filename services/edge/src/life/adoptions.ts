import { Fifo, LogLimit } from '@evenkeel/pace';
import { type CommandOf, readSessionQueue } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Generations } from '../queue/generations.js';
import type { Life, Who } from './life.js';

/** Looks under way at a time. */
const maxLooking = 16;
/** Looks that wait; further ones are offered again by the balancer. */
const maxOffered = 100_000;
const logEveryMs = 10_000;

interface Offered extends Who {
  readonly node: string;
  readonly silentMs: number;
  readonly leftMs: number | undefined;
}

export interface AdoptionsOptions {
  generations: Pick<Generations, 'find'>;
  life: Pick<Life, 'adopted' | 'end'>;
  isHere(key: string): boolean;
  /** Whether it is kept out: then nobody comes back for it. */
  denies(who: Who): boolean;
  log: Pick<Log, 'warn'>;
}

/**
 * Sessions of an edge that is gone, as the balancer has it. That it says so proves nothing: this edge looks, and sees to those
 * whose queue nobody consumes.
 */
export class Adoptions {
  adopted = 0;
  readonly #options: AdoptionsOptions;
  readonly #offered = new Fifo<Offered>();
  readonly #failedLog = new LogLimit(logEveryMs);
  #looking = 0;

  constructor(options: AdoptionsOptions) {
    this.#options = options;
  }

  onAdopt({ node, silentMs, sessions }: CommandOf<'adopt'>): void {
    for (const [key, epoch, leftMs] of sessions) {
      const name = readSessionQueue(`session.${key}`);
      if (name === undefined || this.#offered.length >= maxOffered) continue;
      this.#offered.push({
        uid: name.uid,
        sid: name.sid,
        epoch,
        node,
        silentMs,
        leftMs: leftMs ?? undefined,
      });
    }
    while (this.#looking < maxLooking && this.#offered.length > 0) {
      this.#looking += 1;
      void this.#look().finally(() => {
        this.#looking -= 1;
      });
    }
  }

  async #look(): Promise<void> {
    for (let next = this.#offered.shift(); next !== undefined; next = this.#offered.shift()) {
      try {
        await this.#lookAt(next);
      } catch (error) {
        const suppressed = this.#failedLog.pass(performance.now());
        if (suppressed !== undefined)
          this.#options.log.warn({ err: error, from: next.node, suppressed }, 'session not adopted');
      }
    }
  }

  async #lookAt(offered: Offered): Promise<void> {
    const { generations, life, isHere, denies } = this.#options;
    const { uid, sid, node, silentMs, leftMs } = offered;
    const isOurs = () => isHere(`${uid}.${sid}`);
    if (isOurs()) return;
    const { counts, isLost } = await generations.find(uid, sid);
    if (isOurs() || (counts && counts.consumers > 0)) return;
    this.adopted += 1;
    // Without a queue there is no session any more: all that is left is to tell so.
    life.adopted(offered, node, silentMs, counts || isLost ? leftMs : 0);
    if (denies(offered)) void life.end(offered, 'disconnected');
  }
}
