import type { NodeStats } from '@evenkeel/protocol';

const minuteMs = 60_000;
const minutes = 60;
/** Nodes of which is remembered how far they had counted; the one that has been silent longest is forgotten. */
const mostNodes = 5_000;

/** Gaps that clients were told in the last hour, from what edges count since their start. */
export class GapCount {
  readonly #counted = new Map<string, { boot: string; gaps: number }>();
  readonly #perMinute = new Map<number, number>();
  #isKnown = false;

  observe({ node, boot, gaps }: Pick<NodeStats, 'node' | 'boot' | 'gaps'>, nowMs: number): void {
    if (gaps === undefined) return;
    this.#isKnown = true;
    const before = this.#counted.get(node);
    this.#counted.delete(node);
    this.#counted.set(node, { boot, gaps });
    const [oldest] = this.#counted.keys();
    if (this.#counted.size > mostNodes && oldest !== undefined) this.#counted.delete(oldest);
    // What it counted before it was first heard of was not told while anybody looked.
    if (before === undefined) return;
    const more = before.boot === boot ? gaps - before.gaps : gaps;
    if (more <= 0) return;
    const minute = Math.floor(nowMs / minuteMs);
    this.#perMinute.set(minute, (this.#perMinute.get(minute) ?? 0) + more);
  }

  /** Undefined: no edge says. */
  lastHour(nowMs: number): number | undefined {
    const oldest = Math.floor(nowMs / minuteMs) - minutes;
    let sum = 0;
    for (const [minute, gaps] of this.#perMinute) {
      if (minute <= oldest) this.#perMinute.delete(minute);
      else sum += gaps;
    }
    return this.#isKnown ? sum : undefined;
  }
}
