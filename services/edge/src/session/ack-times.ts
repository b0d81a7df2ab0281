import { wallNow } from '@evenkeel/pace';

interface Awaited {
  readonly seq: number;
  readonly atMs: number;
}

/** The few events of one connection of which it is measured when they are acknowledged. Costs one look per acknowledgement. */
export class AckTimes {
  /** Oldest first; undefined: none is awaited, which is so for most at most times. */
  #awaited: Awaited[] | undefined;
  readonly #onAcked: ((atMs: number, wallMs: number) => void) | undefined;

  /** @param onAcked one that was published at `atMs` is acknowledged now. */
  constructor(onAcked: ((atMs: number, wallMs: number) => void) | undefined) {
    this.#onAcked = onAcked;
  }

  /** The event with this `seq`, published at `atMs`, is on its way to a client that acknowledges. */
  wrote(seq: number, atMs: number): void {
    this.#awaited ??= [];
    this.#awaited.push({ seq, atMs });
  }

  /** Everything up to `seq` is acknowledged. */
  acked(seq: number): void {
    const first = this.#awaited?.[0];
    if (this.#awaited === undefined || first === undefined || first.seq > seq) return;
    const wallMs = wallNow();
    let next: Awaited | undefined = first;
    while (next !== undefined && next.seq <= seq) {
      this.#onAcked?.(next.atMs, wallMs);
      this.#awaited.shift();
      next = this.#awaited[0];
    }
    if (next === undefined) this.#awaited = undefined;
  }

  /** They are the broker's again. */
  forget(): void {
    this.#awaited = undefined;
  }
}
