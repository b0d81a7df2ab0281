import type { ConsumerChannels, Delivery, TopologyChannels } from '@evenkeel/broker';
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
  /** By which answers come, where it is not by the name of the queue. */
  readonly binding?: { readonly exchange: string; readonly key: string };
  onDelivery(delivery: Delivery): void;
}

/** How long the queue is kept while nobody consumes it, ms, and how many messages it holds. */
const queueArguments = { 'x-expires': 60_000, 'x-max-length': 10_000 };

/** The queue of the answers that one publisher waits for; made when it first asks. */
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

  async #listen(): Promise<void> {
    const { queue, binding, consuming, onDelivery } = this.#options;
    const { topology, consumers } = await consuming();
    const prepare = async () => {
      await topology.declareExactly({ name: queue, arguments: queueArguments });
      if (binding) await topology.bind(queue, binding.exchange, binding.key);
    };
    await prepare();
    await consumers.consume(queue, { prepare, onDelivery });
  }
}
