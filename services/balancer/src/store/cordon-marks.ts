import type { TopologyChannels } from '@evenkeel/broker';
import { LogLimit, monotonicNow } from '@evenkeel/pace';
import { cordonMark } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Between two rounds, ms. */
const everyMs = 1_000;
/** Marks made and deleted in one. */
const aRound = 50;
/** A mark that was made is made again after this long, ms: somebody may have deleted it. */
const againMs = 60_000;

export interface CordonMarksOptions {
  readonly topology: Pick<TopologyChannels, 'declareQueue' | 'deleteQueue'>;
  /** What a durable queue has among its arguments. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Whether an operator keeps clients from the node. */
  readonly wanted: { has(node: string): boolean; keys(): Iterable<string> };
  /** Nodes that are known, whether or not. */
  known(nowMs: number): Iterable<string>;
  /** Only who leads for certain writes. */
  mayWrite(): boolean;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * For each node that operators keep clients from there is a queue to which nothing comes: edges look for their own when they start,
 * also while there is no balancer. What fails is tried again; until then an edge that starts is told by what it reports.
 */
export class CordonMarks {
  readonly #options: CordonMarksOptions;
  /** What was done last, as far as it is known. */
  readonly #isThere = new Map<string, boolean>();
  /** Of commands that are being carried out. */
  readonly #held = new Set<string>();
  readonly #logLimit = new LogLimit(60_000);
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #madeAtMs = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  constructor(options: CordonMarksOptions) {
    this.#options = options;
  }

  /** Before nodes are told that they are cordoned. Never rejects; {@link CordonMarks.settle} once it is known whether they are. */
  async put(nodes: readonly string[]): Promise<void> {
    for (const node of nodes) this.#held.add(node);
    await this.#bring(nodes);
  }

  /** From now on they are marked as far as they are wanted. */
  settle(nodes: readonly string[]): void {
    for (const node of nodes) this.#held.delete(node);
  }

  /** They are wanted no more. Never rejects. */
  async remove(nodes: readonly string[]): Promise<void> {
    await this.#bring(nodes);
  }

  /** Another has led, or what was there may be gone: all is looked at anew. */
  doubt(): void {
    this.#isThere.clear();
  }

  /** Does what is due. Call it as often as you like. */
  async tick(nowMs: number): Promise<void> {
    const { wanted, known, mayWrite } = this.#options;
    if (this.#isBusy || nowMs - this.#lookedAtMs < everyMs || !mayWrite()) return;
    this.#lookedAtMs = nowMs;
    this.#isBusy = true;
    const nodes = new Set(known(nowMs));
    const isAgain = nowMs - this.#madeAtMs >= againMs;
    if (isAgain) this.#madeAtMs = nowMs;
    for (const [node, isThere] of this.#isThere) {
      const isMeant = this.#isMeant(node);
      if (isThere && isMeant && isAgain) this.#isThere.delete(node);
      if (!isThere && !isMeant && !nodes.has(node)) this.#isThere.delete(node);
    }
    const all = [...new Set([...wanted.keys(), ...this.#isThere.keys(), ...nodes])];
    await this.#bring(all.filter((node) => this.#isThere.get(node) !== this.#isMeant(node)).slice(0, aRound));
    this.#isBusy = false;
  }

  #isMeant(node: string): boolean {
    return this.#held.has(node) || this.#options.wanted.has(node);
  }

  /** One after the other, each as it is meant when it is its turn. */
  async #bring(nodes: readonly string[]): Promise<void> {
    const { topology, arguments: given, mayWrite, log } = this.#options;
    for (const node of nodes) {
      if (!mayWrite()) return;
      const isMeant = this.#isMeant(node);
      const name = cordonMark(node);
      try {
        if (isMeant)
          await topology.declareQueue({ name, durable: true, arguments: { 'x-max-length': 1, ...given } });
        else await topology.deleteQueue(name);
        this.#isThere.set(node, isMeant);
      } catch (error) {
        this.#isThere.delete(node);
        if (this.#logLimit.pass(monotonicNow()) !== undefined)
          log.warn({ err: error, node }, 'cordon not marked: an edge of that name that starts is told late');
        return;
      }
    }
  }
}
