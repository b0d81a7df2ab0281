import { BrokerError, type TopologyChannels } from '@evenkeel/broker';
import { sleep, withDeadline } from '@evenkeel/pace';
import { cordonMark } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgeNode } from '../node.js';

/** The start waits this long for an answer, ms: a mesh in which there is none starts too. */
const firstWithinMs = 5_000;
/** Between two looks before the first answer, ms, … */
const retryMs = 500;
/** … and while it is there, ms. */
const everyMs = 5_000;
/** Missed so often it is gone: a broker that was emptied is given it again by the balancer. */
const mostMissed = 2;

export interface CordonMarkOptions {
  readonly node: Pick<EdgeNode, 'name' | 'isCommanded' | 'mark'>;
  readonly topology: Pick<TopologyChannels, 'checkQueue'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Whether an operator keeps clients from a node of this name: the balancer marks it by a queue, which outlives every process. A process
 * that starts looks for it before it reports for the first time, so that nobody is placed on it until a balancer has told it, if there
 * is one. Who has missed that it was lifted finds the mark gone. A command counts more than the mark.
 */
export class CordonMark {
  readonly #options: CordonMarkOptions;
  readonly #stopping = new AbortController();

  constructor(options: CordonMarkOptions) {
    this.#options = options;
  }

  /** Resolves once it is known, or after five seconds; it goes on looking then. */
  async start(): Promise<void> {
    const { log } = this.#options;
    const known = new Promise<void>((resolve) => void this.#watch(resolve));
    await withDeadline(known, firstWithinMs, () =>
      log.warn({}, 'not known yet whether an operator has cordoned this node: clients may come'),
    );
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #watch(onKnown: () => void): Promise<void> {
    const { node, log } = this.#options;
    const { signal } = this.#stopping;
    let isMarked: boolean | undefined;
    let missed = 0;
    while (isMarked !== false) {
      const isThere = await this.#look();
      if (signal.aborted || node.isCommanded) break;
      missed = isThere === false ? missed + 1 : 0;
      if (isThere === true && isMarked === undefined) {
        log.info({}, 'cordoned: an operator keeps clients from this node');
        isMarked = true;
        node.mark(true);
      }
      // Where there was none at first, this process is told by whoever changes that.
      if (missed > 0 && isMarked === undefined) isMarked = false;
      if (missed >= mostMissed && isMarked === true) {
        log.info({}, 'no longer cordoned: no operator keeps clients from this node');
        isMarked = false;
        node.mark(false);
      }
      if (isMarked !== undefined) onKnown();
      if (isMarked !== false) await sleep(isMarked ? everyMs : retryMs, signal).catch(() => {});
    }
    onKnown();
  }

  /** Undefined: it is not known. */
  async #look(): Promise<boolean | undefined> {
    const { node, topology } = this.#options;
    try {
      return (await topology.checkQueue(cordonMark(node.name))) !== undefined;
    } catch (error) {
      return error instanceof BrokerError && error.code === 'queue-down' ? true : undefined;
    }
  }
}
