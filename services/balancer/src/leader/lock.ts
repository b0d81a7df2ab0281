import { Broker, BrokerError, type BrokerTls, type Topology, type TopologyChannels } from '@evenkeel/broker';
import type { Log } from '@evenkeel/runtime';

/** The queue whose owner leads. */
const leaderQueue = 'mesh.leader';

export interface LockOptions {
  url: string;
  /** How to speak TLS to it. */
  tls?: BrokerTls | undefined;
  id: string;
  log: Log;
  /** Declared on the lock's connection. */
  topology?: Topology;
  /** How often to try, and as leader how often to make sure. Default 500. */
  everyMs?: number;
  /** A leader that cannot make sure for this long no longer leads. Default 3000. */
  doubtMs?: number;
  onLeading(): void;
  onFollowing(): void;
}

/**
 * Leadership by an exclusive queue: RabbitMQ gives it to one connection and frees it with that connection, at once when the
 * process dies. Not an `OwnQueue`: that one tries until it has its queue, and here "another has it" is an answer. It is
 * declared again and again, so a queue that was deleted, or went with everything on the broker, is somebody's again half a
 * second later. The connection has a short heartbeat, so that a leader cut off from the broker is noticed; what only a leader
 * may do is best done on it, and ends with it.
 */
export class LeaderLock {
  /** The lock's connection. Nothing is published on it: an alarm would block it. */
  readonly broker: Broker;
  readonly #options: Required<Omit<LockOptions, 'topology' | 'tls'>>;
  readonly #topology: TopologyChannels;
  #timer: NodeJS.Timeout | undefined;
  #isLeading = false;
  #isStopped = false;
  #isAnswered = false;
  #sureAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  /** Touches nothing: {@link LeaderLock.start} does. */
  constructor(options: LockOptions) {
    this.#options = { everyMs: 500, doubtMs: 3000, ...options };
    const { url, tls, id, log, topology } = options;
    this.broker = new Broker({
      url,
      ...(tls !== undefined && { tls }),
      name: `balancer ${id} leader lock`,
      log,
      heartbeatSeconds: 2,
      retryMaxMs: 1000,
      ...(topology === undefined ? {} : { topology }),
    });
    this.#topology = this.broker.topology({ channels: 1, timeoutMs: 2000 });
    this.broker.on('lost', () => {
      this.#isAnswered = false;
      this.#lose('connection lost');
    });
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /**
   * Whether this balancer leads for certain, as far as it has asked lately. False in one that has just woken: until the broker
   * has answered again, another may lead.
   */
  get isSure(): boolean {
    return this.#isLeading && performance.now() - this.#sureAtMs <= this.#options.doubtMs;
  }

  /** True when it is known who leads: this balancer or another. */
  readiness(): true | string {
    const readiness = this.broker.readiness();
    if (readiness !== true) return readiness;
    return this.#isAnswered || `queue ${leaderQueue}: not known yet who leads`;
  }

  /**
   * Whether this balancer leads for certain. A process that was frozen, or had no time, takes itself for the leader when it
   * wakes, while another has led for long: so whoever acts for the leader asks here first.
   */
  async confirm(): Promise<boolean> {
    if (!this.isSure) await this.#ask();
    return this.isSure;
  }

  /** Tries to lead from now on. {@link LeaderLock.broker} is open by then. */
  async start(): Promise<void> {
    const round = async () => {
      await this.#ask();
      if (!this.#isStopped) this.#timer = setTimeout(() => void round(), this.#options.everyMs);
    };
    await round();
  }

  /** Tries no more, and leads no more. Another can lead once {@link LeaderLock.broker} is closed. */
  resign(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#lose('stopping');
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askOnce(): Promise<void> {
    if (this.#isStopped || this.broker.state !== 'open') return;
    const askedAtMs = performance.now();
    try {
      await this.#topology.declareQueue({ name: leaderQueue, durable: false, exclusive: true });
      this.#sureAtMs = askedAtMs;
      this.#isAnswered = true;
      // The connection may have been lost, and the queue with it, while the answer was on its way.
      if (this.broker.state === 'open' && !this.#isStopped) this.#win();
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'queue-locked') {
        this.#isAnswered = true;
        this.#lose('another leads');
      } else if (performance.now() - this.#sureAtMs > this.#options.doubtMs) {
        this.#isAnswered = false;
        this.#lose('the broker does not answer');
      }
    }
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
