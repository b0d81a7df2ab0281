/** No client library has a smaller limit. */
const largeBytes = 4_096;

/** What was written and is so large that a client may have closed its connection for it, mostly unacknowledged. */
export class LargeOnes {
  readonly #limit: number;
  #all: { readonly seq: number; readonly id: string; readonly bytes: number }[] = [];

  /** `limit`: as many as may be unacknowledged. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether something of so many bytes is to be noted. */
  static is(bytes: number): boolean {
    return bytes >= largeBytes;
  }

  /** `from`: `seq` of the first that is not acknowledged. */
  note(seq: number, id: string, bytes: number, from: number): void {
    if (this.#all.length >= this.#limit) this.#all = this.#all.filter((each) => each.seq >= from);
    this.#all.push({ seq, id, bytes });
  }

  /** `id` of the largest from that `seq` on; undefined: there is none that a client might not take. */
  largestFrom(seq: number): string | undefined {
    let largest: { id: string; bytes: number } | undefined;
    for (const each of this.#all) if (each.seq >= seq && each.bytes > (largest?.bytes ?? 0)) largest = each;
    return largest?.id;
  }
}
