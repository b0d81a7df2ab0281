import { BrokerError, type QueueCounts, type TopologyChannels } from '@evenkeel/broker';
import { areSeveralBrokers } from '@evenkeel/pace';
import { sessionQueue } from '@evenkeel/protocol';
import { Leftovers } from './leftovers.js';

/** What a look at one generation shows. `down`: the node of the broker that it lives on is. */
export type Look = QueueCounts | 'none' | 'down';

/** The queue that a session has now. */
export interface Newest {
  /** Its number, or that of the queue to be made. */
  readonly generation: number;
  /** Undefined: there is none. */
  readonly counts: QueueCounts | undefined;
  /** The session had a queue, whose node is down: this is the number of the one that takes its place. */
  readonly isLost: boolean;
  /** Earlier ones that are there still. */
  readonly older: readonly number[];
}

/** Numbers looked at beyond one that is down: earlier ones are deleted once their nodes are back. */
const looksAhead = 3;
/** The same where none has been found, and nobody is sure that there was one. */
const looksInTheDark = 32;

/**
 * Goes from generation `from` to the newest that there is; `isSure`: there is that one, or was a moment ago. Who consumes an earlier one
 * counts as well: it may be about to go on.
 */
export async function newestFrom(
  from: number,
  look: (generation: number) => Promise<Look>,
  isSure = false,
): Promise<Newest> {
  const reach = isSure ? looksAhead : looksInTheDark;
  let last = from;
  let at = await look(from);
  const older: number[] = [];
  let consumers = 0;
  for (let next = from + 1; ; next += 1) {
    const found = await look(next);
    if (found !== 'none') {
      if (at !== 'none') older.push(last);
      if (typeof at === 'object') consumers += at.consumers;
      last = next;
      at = found;
    } else {
      if (typeof at === 'object' || next - last >= (at === 'none' ? reach : looksAhead)) break;
    }
  }
  if (typeof at === 'object') {
    const counts = { ...at, consumers: at.consumers + consumers };
    return { generation: last, counts, isLost: false, older };
  }
  if (at === 'none') return { generation: from, counts: undefined, isLost: false, older };
  return { generation: last + 1, counts: undefined, isLost: true, older: [...older, last] };
}

export interface GenerationsOptions {
  topology: Pick<TopologyChannels, 'checkQueue' | 'deleteUnusedQueue'>;
  /** With several addresses the broker counts as one of several nodes. */
  amqpUrl: string;
}

/** Which queue a session has, where it may have lost some with a node of the broker. */
export class Generations {
  readonly #topology: GenerationsOptions['topology'];
  readonly #leftovers: Leftovers;
  #isCluster: boolean;

  constructor({ topology, amqpUrl }: GenerationsOptions) {
    this.#topology = topology;
    this.#leftovers = new Leftovers({ topology });
    this.#isCluster = areSeveralBrokers(amqpUrl);
  }

  /** Queues may be lost one by one. A broker of one address shows it by the first that is. */
  get isCluster(): boolean {
    return this.#isCluster;
  }

  /** `from`: the one that who has had the session names, `isSure` or not. Of one broker alone a single look does. */
  async find(uid: string, sid: string, from = 0, isSure = false): Promise<Newest> {
    if (!this.#isCluster) {
      const generation = from;
      const look = await this.#look(sessionQueue(uid, sid, generation));
      if (look !== 'down') {
        const counts = look === 'none' ? undefined : look;
        return { generation, counts, isLost: false, older: [] };
      }
      this.#isCluster = true;
    }
    const look = (generation: number) => this.#look(sessionQueue(uid, sid, generation));
    return await newestFrom(from, look, isSure);
  }

  /** This earlier one is not needed any more: it is deleted as soon as its node is there. */
  leave(name: string): void {
    this.#leftovers.add(name);
  }

  async #look(name: string): Promise<Look> {
    try {
      return (await this.#topology.checkQueue(name)) ?? 'none';
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'queue-down') return 'down';
      throw error;
    }
  }
}
