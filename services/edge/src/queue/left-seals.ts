import type { Delivery } from '@evenkeel/broker';
import { type CommandOf, edgeKey } from '@evenkeel/protocol';
import type { Drops } from '../session/ports.js';
import type { Planting } from './planting.js';

/** Longest wait until everything that was dropped before is known. */
const fenceMs = 5_000;

interface LeftSeal {
  readonly name: string;
  /** Resolves when it has been put back, or is not to be any more. */
  turn?: Promise<unknown>;
  readonly delivery: Delivery;
  /** Of its queue. */
  readonly generation: number;
  /** As they were when its session left. */
  readonly doubts: number;
}

/** Of a session. */
interface Who {
  readonly uid: string;
  readonly sid: string;
}

const keyOf = ({ uid, sid }: Who): string => `${uid}.${sid}`;

/** To other edges. */
export interface Outgoing {
  publish(key: string, command: CommandOf<'give-seal'>): Promise<unknown>;
}

export interface LeftSealsOptions {
  /** This edge. */
  readonly node: string;
  readonly outgoing: Outgoing;
  readonly planting: Pick<Planting, 'left' | 'inTurn' | 'hurry' | 'callOff'>;
  readonly drops: Pick<Drops, 'fence' | 'doubts'>;
}

/**
 * Seals that their sessions have left here when they moved to another edge, which waits for them. Putting one back costs the broker as
 * much as all else of a move: while many move it waits, and a session that comes back meanwhile finds its seal here. Should this
 * edge die, the broker puts them all back.
 */
export class LeftSeals {
  readonly #options: LeftSealsOptions;
  /** By session. */
  readonly #left = new Map<string, LeftSeal>();
  readonly #underWay = new Set<Promise<boolean>>();

  constructor(options: LeftSealsOptions) {
    this.#options = options;
  }

  /** It is put back when it is its turn. `generation`: of its queue. */
  leave(who: Who, name: string, delivery: Delivery, generation = 0): void {
    const { planting, drops } = this.#options;
    const session = keyOf(who);
    // An earlier one that another has been planted for meanwhile.
    this.#spoil(session);
    planting.left();
    const left: LeftSeal = { name, delivery, generation, doubts: drops.doubts };
    this.#left.set(session, left);
    const turn = planting.inTurn(session, () => this.#putBack(session, name));
    left.turn = turn;
    this.#underWay.add(turn);
    void turn.finally(() => this.#underWay.delete(turn));
  }

  /** For a session that is back; undefined: it is in its queue, or was dropped. */
  takeBack(who: Who, name: string): Delivery | undefined {
    const session = keyOf(who);
    const left = this.#left.get(session);
    if (left?.name !== name) return undefined;
    this.#forget(session);
    return left.delivery.isVoid ? undefined : left.delivery;
  }

  /** Something was dropped from behind it, from its queue or a later one: it proves nothing any more. */
  dropped(session: string, generation = 0): void {
    const left = this.#left.get(session);
    if (left && generation >= left.generation) this.#spoil(session);
  }

  /** It is this session's turn, on the edge `at`. */
  hurry(who: Who, at = this.#options.node): void {
    const { node, outgoing, planting } = this.#options;
    if (at === node) return planting.hurry(keyOf(who));
    // If it gets lost its turn comes all the same.
    const { uid, sid } = who;
    outgoing.publish(edgeKey(at), { command: 'give-seal', uid, sid, from: node }).catch(() => {});
  }

  /** For who looks at the head of the queue: resolves when the seal is no longer here; undefined: it is not. */
  back(who: Who): Promise<unknown> | undefined {
    const session = keyOf(who);
    const left = this.#left.get(session);
    if (left) this.#options.planting.hurry(session);
    return left?.turn;
  }

  /** Resolves when all have been put back. */
  async stop(): Promise<void> {
    for (const session of [...this.#left.keys()]) this.#options.planting.hurry(session);
    await Promise.all(this.#underWay);
  }

  #spoil(session: string): void {
    this.#left.get(session)?.delivery.ack();
    this.#forget(session);
  }

  #forget(session: string): void {
    if (this.#left.delete(session)) this.#options.planting.callOff(session);
  }

  async #putBack(session: string, name: string): Promise<boolean> {
    const { drops } = this.#options;
    // What was dropped from a queue that nobody consumes comes by another way.
    const isSure = await drops.fence(fenceMs);
    const left = this.#left.get(session);
    // Taken back or dropped meanwhile.
    if (left?.name !== name) return false;
    this.#left.delete(session);
    if (isSure && drops.doubts === left.doubts) left.delivery.requeue();
    else left.delivery.ack();
    return true;
  }
}
