/** What it means when nobody at all is heard: that is the observer's own connection, or the broker. */

/** Edges report once a second; nobody at all is silent for this long by chance, ms. */
const deafMs = 1_500;

/** How long a balancer's last view stands while nobody is heard, ms; after that its nodes grow old as others do. */
export const lastViewMs = 60_000;

/**
 * Time by which the silence of nodes is judged: it stands still while nobody is heard, for `keptMs` at most, so that no node is
 * older after the silence than before it. Takes the time as an argument.
 */
export class Hearing {
  readonly #keptMs: number;
  #heardAtMs: number | undefined;
  /** Time that did not count. */
  #lostMs = 0;

  /** `keptMs`: how long the last view stands. */
  constructor(keptMs = lastViewMs) {
    this.#keptMs = keptMs;
  }

  /** A report has come, whosever. */
  heard(nowMs: number): void {
    this.#lostMs += this.#pauseMs(nowMs);
    this.#heardAtMs = nowMs;
  }

  /** The time, without the silences of all. */
  clockMs(nowMs: number): number {
    return nowMs - this.#lostMs - this.#pauseMs(nowMs);
  }

  /** For how long nobody has been heard, ms; undefined while somebody is, and when nobody was before. */
  silentMs(nowMs: number): number | undefined {
    if (this.#heardAtMs === undefined) return undefined;
    const silentMs = nowMs - this.#heardAtMs;
    return silentMs > deafMs ? silentMs : undefined;
  }

  /** The whole of a silence: what seems late because of it is not late. */
  #pauseMs(nowMs: number): number {
    return Math.min(this.silentMs(nowMs) ?? 0, this.#keptMs);
  }
}

/**
 * What a silence of all means, for `/readyz`; undefined while somebody is heard. @param silentMs {@link Hearing.silentMs}.
 * @param keptMs how long the last view stands.
 */
export function silence(silentMs: number | undefined, keptMs = lastViewMs): string | undefined {
  if (silentMs === undefined) return undefined;
  const seconds = Math.round(silentMs / 1_000);
  return silentMs < keptMs
    ? `no node is heard for ${seconds} s; the last view stands for ${keptMs / 1_000} s`
    : `no node is heard for ${seconds} s`;
}
