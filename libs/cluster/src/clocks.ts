import type { NodeStats } from '@evenkeel/protocol';

/** How far a node's clock may be from those of the others, ms. A node beyond it is avoided, and that is reported. */
export const clockToleranceMs = 10_000;

/** Reports that a node's clocks are measured by, the last ones: a report may have been under way for long, but hardly five. */
const samples = 5;
/** The clocks of all are compared this often, ms. */
const compareEveryMs = 1_000;

/** Nodes of which an observer leaves a mark at most: others hear the same ones. */
const mostMarks = 16;

type Clock = 'wall' | 'steady';

/** How far the clock of one process was ahead of the observer's, ms: another observer of the same process can tell how far apart they are. */
export interface ClockMark {
  readonly node: string;
  readonly boot: string;
  readonly aheadMs: number;
}

/** How far a node's clocks were ahead of the observer's by each of its last reports, less the time that it was under way. */
interface Series {
  readonly boot: string;
  readonly wall: number[];
  readonly steady: number[];
}

/**
 * How far apart the clocks of nodes are, from the times in their statistics. What a report says is at least as old as its way
 * was long, so the largest of the last few is the closest. Takes the time as an argument, from a clock that does not step.
 *
 * Nobody knows which clock is right: the measure is the median, of the nodes and the observer.
 */
export class NodeClocks {
  readonly #series = new Map<string, Series>();
  #compared: { readonly atMs: number; readonly wall: number; readonly steady: number } | undefined;

  observe({ node, boot, at, steadyAt = at }: NodeStats, nowMs: number): void {
    let series = this.#series.get(node);
    if (series?.boot !== boot) {
      series = { boot, wall: [], steady: [] };
      this.#series.set(node, series);
      this.#compared = undefined;
    }
    keep(series.wall, at - nowMs);
    keep(series.steady, steadyAt - nowMs);
    if (this.#compared !== undefined && nowMs - this.#compared.atMs < compareEveryMs) return;
    this.#compared = { atMs: nowMs, wall: this.#median('wall'), steady: this.#median('steady') };
  }

  forget(node: string): void {
    this.#series.delete(node);
  }

  /** How far the host's clock of a node is ahead of the median, ms; 0: not known. */
  aheadMs(node: string): number {
    const aheadMs = this.#ahead(node, 'wall');
    return aheadMs === undefined ? 0 : aheadMs - this.medianMs;
  }

  /** Whether that is more than is tolerated. */
  isOff(node: string): boolean {
    return Math.abs(this.aheadMs(node)) > clockToleranceMs;
  }

  /** How far the clock by which a node judges tickets is ahead of the observer's, ms; 0: not known. */
  ticketsAheadMs(node: string): number {
    return this.#ahead(node, 'steady') ?? 0;
  }

  /** What this observer measures, for another one: of the 16 nodes that it has known longest. */
  marks(): ClockMark[] {
    const known = [...this.#series].slice(0, mostMarks);
    return known.map(([node, { boot, steady }]) => ({ node, boot, aheadMs: Math.max(...steady) }));
  }

  /**
   * How far this observer's clock is ahead of that of the observer who has left `marks`, ms: the median of what the processes say that
   * both have heard, whose clocks may be wrong. Undefined: there is none.
   */
  aheadOf(marks: readonly ClockMark[]): number | undefined {
    const all = marks.flatMap(({ node, boot, aheadMs }) => {
      const series = this.#series.get(node);
      return series?.boot === boot ? [aheadMs - Math.max(...series.steady)] : [];
    });
    return middleOf(all);
  }

  /** How far the median of hosts' clocks is ahead of the observer's, ms. */
  get medianMs(): number {
    return this.#compared?.wall ?? 0;
  }

  /**
   * The same of the clocks that take no step. Observers that add it to their own agree on the time, whatever their hosts say,
   * as long as they see the same nodes.
   */
  get steadyMedianMs(): number {
    return this.#compared?.steady ?? 0;
  }

  #ahead(node: string, clock: Clock): number | undefined {
    const series = this.#series.get(node);
    return series === undefined ? undefined : Math.max(...series[clock]);
  }

  #median(clock: Clock): number {
    const all = [...this.#series.values()].map((series) => Math.max(...series[clock]));
    // Of two that differ, the node's counts: it is what others see as well.
    if (all.length > 1) all.push(0);
    return middleOf(all) ?? 0;
  }
}

const middleOf = (all: number[]): number | undefined =>
  all.sort((a, b) => a - b)[Math.floor((all.length - 1) / 2)];

function keep(series: number[], aheadMs: number): void {
  series.push(aheadMs);
  if (series.length > samples) series.shift();
}

/** Reports once that a clock is off, and once that it is right again. */
export class ClockWatch {
  readonly #clocks: Pick<NodeClocks, 'aheadMs' | 'isOff' | 'medianMs'>;
  readonly #report: (fields: object, message: string) => void;
  readonly #off = new Set<string>();
  #isSelfOff = false;

  constructor(
    clocks: Pick<NodeClocks, 'aheadMs' | 'isOff' | 'medianMs'>,
    report: (fields: object, message: string) => void,
  ) {
    this.#clocks = clocks;
    this.#report = report;
  }

  /** A node has reported. `selfAheadMs`: how far the observer's host is ahead of the clock that measures, ms. */
  look(node: string, selfAheadMs: number): void {
    const isOff = this.#clocks.isOff(node);
    if (isOff !== this.#off.has(node)) {
      if (isOff) this.#off.add(node);
      else this.#off.delete(node);
      this.#report(
        { node, clockAheadMs: this.#clocks.aheadMs(node) },
        isOff
          ? 'clock of a node is off: it is avoided while others take clients; set the clock of its host (chrony, NTP)'
          : 'clock of a node is right again',
      );
    }
    const ownAheadMs = selfAheadMs - this.#clocks.medianMs;
    const isSelfOff = Math.abs(ownAheadMs) > clockToleranceMs;
    if (isSelfOff === this.#isSelfOff) return;
    this.#isSelfOff = isSelfOff;
    this.#report(
      { clockAheadMs: Math.round(ownAheadMs) },
      isSelfOff
        ? 'the clock of this host is off those of the edges: set it (chrony, NTP)'
        : 'the clock of this host is right again',
    );
  }

  forget(node: string): void {
    this.#off.delete(node);
  }
}
