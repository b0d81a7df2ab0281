import { Broker, BrokerError } from '@evenkeel/broker';
import type { Log } from '@evenkeel/runtime';

/** The queue whose owner leads. */
export const leaderQueue = 'mesh.leader';

export interface LockOptions {
  url: string;
  id: string;
  log: Log;
  /** How often to try, and as leader how often to make sure. Default 500. */
  everyMs?: number;
  /** A leader that cannot make sure for this long no longer leads. Default 3000. */
  doubtMs?: number;
  onLeading(): void;
  onFollowing(): void;
}

/**
 * Leadership by an exclusive queue: RabbitMQ gives it to one connection and frees it with that connection,
 * at once when the process dies. The connection is used for nothing else and has a short heartbeat, so
 * that a leader cut off from the broker is noticed.
 */
export class LeaderLock {
  readonly #options: Required<LockOptions>;
  #broker: Broker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLeading = false;
  #isStopped = false;
  #sureAtMs = 0;

  constructor(options: LockOptions) {
    this.#options = { everyMs: 500, doubtMs: 3000, ...options };
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  async start(signal?: AbortSignal): Promise<void> {
    const { url, id, log } = this.#options;
    const options = { url, name: `balancer ${id} leader lock`, log, heartbeatSeconds: 2, retryMaxMs: 1000 };
    const broker = await Broker.connect(signal === undefined ? options : { ...options, signal });
    this.#broker = broker;
    broker.on('lost', () => this.#lose('connection lost'));
    const topology = broker.topology({ channels: 1, timeoutMs: 2000 });
    const round = async () => {
      if (this.#isStopped) return;
      if (broker.state === 'open') {
        try {
          await topology.declareQueue({ name: leaderQueue, durable: false, exclusive: true });
          this.#sureAtMs = performance.now();
          // The connection may have been lost, and the queue with it, while the answer was on its way.
          if (broker.state === 'open' && !this.#isStopped) this.#win();
        } catch (error) {
          if (error instanceof BrokerError && error.code === 'queue-locked') this.#lose('another leads');
          else if (performance.now() - this.#sureAtMs > this.#options.doubtMs)
            this.#lose('the broker does not answer');
        }
      }
      if (!this.#isStopped) this.#timer = setTimeout(() => void round(), this.#options.everyMs);
    };
    await round();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#lose('stopping');
    await this.#broker?.close();
  }

  #win(): void {
    if (this.#isLeading) return;
    this.#isLeading = true;
    this.#options.log.info({ id: this.#options.id }, 'leading');
    this.#options.onLeading();
  }

  #lose(why: string): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#options.log.warn({ id: this.#options.id, why }, 'no longer leading');
    this.#options.onFollowing();
  }
}
