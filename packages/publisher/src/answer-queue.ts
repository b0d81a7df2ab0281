import type { ConsumerChannels, Delivery, TopologyChannels } from '@evenkeel/broker';
import { withDeadline } from '@evenkeel/pace';
import { askErrors } from '@evenkeel/protocol';
import { AskError } from './errors.js';
import type { ReplyPublisher } from './replies.js';

/** What who asks needs of a publisher. */
export interface AskingOptions {
  /** Of the application service. */
  readonly name: string;
  readonly publisher: ReplyPublisher;
  /** Where answers are consumed. */
  consuming(): Promise<{
    readonly topology: Pick<TopologyChannels, 'declareExactly' | 'bind'>;
    readonly consumers: Pick<ConsumerChannels, 'consume'>;
  }>;
}

export interface AnswerQueueOptions extends Pick<AskingOptions, 'consuming'> {
  readonly queue: string;
  /** Messages that it holds. Default 10,000. */
  readonly maxLength?: number;
  /** By which answers come, where it is not by the name of the queue. */
  readonly binding?: { readonly exchange: string; readonly key: string };
  onDelivery(delivery: Delivery): void;
}

/** How long the queue is kept while nobody consumes it, ms. */
const expiresMs = 60_000;

/** The queue of what comes back to one publisher, answers or receipts; made when it first wants any. */
export class AnswerQueue {
  readonly #options: AnswerQueueOptions;
  #listening: Promise<void> | undefined;

  constructor(options: AnswerQueueOptions) {
    this.#options = options;
  }

  /** Resolves once it is consumed. What fails is tried again by whoever asks next. @throws BrokerError */
  async listen(): Promise<void> {
    this.#listening ??= this.#listen();
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /** As {@link listen}, within the time of who asks. @returns how much of it is left, ms @throws AskError `timeout`; BrokerError */
  async listenWithin(timeoutMs: number): Promise<number> {
    const beganMs = performance.now();
    await withDeadline(this.listen(), timeoutMs, () => {
      const message = `the queue of answers could not be made within ${timeoutMs} ms; nothing was asked`;
      throw new AskError(askErrors.timeout, message);
    });
    return Math.max(1, Math.ceil(timeoutMs - (performance.now() - beganMs)));
  }

  async #listen(): Promise<void> {
    const { queue, maxLength = 10_000, binding, consuming, onDelivery } = this.#options;
    const queueArguments = { 'x-expires': expiresMs, 'x-max-length': maxLength };
    const { topology, consumers } = await consuming();
    const prepare = async () => {
      await topology.declareExactly({ name: queue, arguments: queueArguments });
      if (binding) await topology.bind(queue, binding.exchange, binding.key);
    };
    await prepare();
    await consumers.consume(queue, { prepare, onDelivery });
  }
}
