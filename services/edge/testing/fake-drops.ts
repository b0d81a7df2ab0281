import type { GapReason } from '@evenkeel/protocol';
import type { Drops } from '../src/session/ports.js';

export class FakeDrops implements Drops {
  doubts = 0;
  fenced: boolean | Promise<boolean> = true;
  readonly reasons = new Map<string, GapReason>();

  /** What was dropped before is heard of. */
  onFence: () => void = () => {};

  async fence(): Promise<boolean> {
    this.onFence();
    return await this.fenced;
  }

  whyOf(key: string): GapReason | undefined {
    return this.reasons.get(key);
  }
}
