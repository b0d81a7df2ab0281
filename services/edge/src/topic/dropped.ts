import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import { exchanges, fenceKey } from '@evenkeel/protocol';

/** In less than this no queue is made and filled, ms. */
const fillMs = 250;

export interface DroppedMessagesOptions {
  readonly mesh: Pick<Mesh, 'ownQueue'>;
  readonly node: string;
  readonly boot: string;
  /** It may have, and it was not to be seen. */
  onDoubt(): void;
  /** A clock that nobody sets, ms. */
  now(): number;
}

/**
 * Whether the topic queue drops messages, which its length does not show where they are large: it hands what it drops to another queue,
 * which nobody consumes and which keeps the newest. When in doubt it has.
 */
export class DroppedMessages {
  readonly #options: DroppedMessagesOptions;
  readonly #queue: OwnQueue;
  readonly #key: string;
  #isInDoubt = false;
  #isNewSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: DroppedMessagesOptions) {
    this.#options = options;
    const { mesh, node, boot, onDoubt, now } = options;
    this.#key = fenceKey(node, `${boot}.dropped`);
    this.#queue = mesh.ownQueue({
      name: `edge.${node}.overflow`,
      arguments: { 'x-max-length': 1 },
      bindings: [{ exchange: exchanges.control, key: this.#key }],
      isConsumed: false,
      onLost: () => {
        this.#isInDoubt = true;
      },
      // With its connection the topic queue has gone as well, and its subscribers are told.
      onRemade: () => {
        this.#isInDoubt = now() - this.#isNewSinceMs > fillMs;
        if (this.#isInDoubt) onDoubt();
      },
    });
  }

  /** What has a queue tell here what it drops. */
  get arguments(): Readonly<Record<string, unknown>> {
    return { 'x-dead-letter-exchange': exchanges.control, 'x-dead-letter-routing-key': this.#key };
  }

  start(signal?: AbortSignal): Promise<void> {
    return this.#queue.start(signal);
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  /** The topic queue is a new one. */
  reset(): void {
    this.#isInDoubt = false;
    this.#isNewSinceMs = this.#options.now();
  }

  /** Whether anything was dropped since the last answer; undefined: that cannot be had now. */
  async take(): Promise<boolean | undefined> {
    const count = await this.#queue.empty();
    if (count === undefined) {
      // It may have been taken out.
      this.#isInDoubt = true;
      return undefined;
    }
    const isInDoubt = this.#isInDoubt;
    this.#isInDoubt = false;
    return count > 0 || isInDoubt;
  }
}
