import { randomFillSync } from 'node:crypto';

/** Highest value of the 12-bit counter. */
const maxCounter = 0xfff;

/**
 * Makes UUIDs of version 7 (RFC 9562): sortable by time, and each greater than the one before, also within one
 * millisecond (method 1: a counter in `rand_a`) and when the clock steps back.
 */
export class Uuid7 {
  private lastMs = 0;
  private counter = 0;
  private readonly pool = new Uint8Array(10 * 256);
  private used = this.pool.length;

  /** The next one. `nowMs` is since the epoch. */
  next(nowMs: number): string {
    if (this.used === this.pool.length) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const random = this.pool.subarray(this.used, this.used + 10);
    this.used += 10;
    const [r0 = 0, r1 = 0, r2 = 0] = random;
    if (nowMs > this.lastMs) {
      this.lastMs = nowMs;
      // The lower half: there is room to count.
      this.counter = ((r0 << 8) | r1) & 0x7ff;
    } else if (++this.counter > maxCounter) {
      this.lastMs++;
      this.counter = 0;
    }
    const time = this.lastMs.toString(16).padStart(12, '0');
    const count = this.counter.toString(16).padStart(3, '0');
    const variant = (0x80 | (r2 & 0x3f)).toString(16);
    const tail = Buffer.from(random.subarray(3)).toString('hex');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
  }
}
