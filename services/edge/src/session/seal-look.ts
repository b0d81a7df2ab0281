import type { Consumer } from '@evenkeel/broker';
import type { Seal } from './seal.js';

/** The seal comes with the consumer. If nothing has come after this the broker is asked whether there was anything, ms. */
const waitMs = 100;

export interface SealLookOptions {
  readonly seal: Pick<Seal, 'isExpected' | 'nothingCame'>;
  /** Of its queue, now. */
  consumer(): Pick<Consumer, 'state' | 'barrier'> | undefined;
  /** Whether its client is there. */
  isLive(): boolean;
  /** The queue has another consumer, which is served first. */
  onOther(): Promise<void>;
}

/** Looks for a seal that does not come. */
export class SealLook {
  readonly #options: SealLookOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SealLookOptions) {
    this.#options = options;
  }

  soon(): void {
    if (!this.#options.seal.isExpected) return;
    this.stop();
    this.#timer = setTimeout(() => void this.#look(), waitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /**
   * On the consumer's own channel: once the broker has answered there twice, whatever it had for this consumer at the first
   * time has come. (The first answer may overtake a delivery that the queue had sent to the channel already.)
   */
  async #look(): Promise<void> {
    const { seal, consumer, isLive, onOther } = this.#options;
    const at = consumer();
    for (let n = 0; n < 2; n += 1) {
      if (!seal.isExpected || at?.state !== 'active') return;
      const counts = await at.barrier();
      // Lost once more: what has not come shows nothing.
      if (counts === undefined) return;
      if (counts.consumers > 1) return await onOther();
    }
    if (at?.state === 'active' && isLive()) seal.nothingCame();
  }
}
