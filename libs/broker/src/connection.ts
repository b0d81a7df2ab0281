import { setMaxListeners } from 'node:events';
import { backoffMs, brokerAddresses, brokerName, monotonicNow } from '@evenkeel/pace';
import { type ChannelModel, connect } from 'amqplib';
import { Alarm } from './alarm.js';
import { keepBinaryIds } from './binary-ids.js';
import { surviveDeepHeaders } from './deep-headers.js';
import { BrokerError, messageOf, redactUrl } from './errors.js';
import { type ConnectionFigures, type PartFigures, sumOf } from './figures.js';
import { GatheredAcks } from './gathered-acks.js';
import { handleLargeBodies } from './large-bodies.js';
import { QuickDeliveries } from './quick-deliveries.js';
import { destroyStream, gatherWrites, SharedReads, writerOf } from './socket.js';
import { checkTls, hintFor, socketTls } from './tls.js';
import type { BrokerOptions, Log } from './types.js';

/** What a connection announces. */
export type ConnectionEvent = 'open' | 'lost' | 'blocked' | 'unblocked';

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
const CLOSE_TIMEOUT_MS = 2000;
// A missing virtual host shows only as a close instead of open-ok.
const REFUSED = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/;

/** One AMQP connection that comes back. `model` is set exactly while the state is `open`. */
export class AmqpConnection {
  readonly log: Log;
  readonly random: () => number;
  /** While it is on nothing is to be published. */
  readonly alarm: Alarm;
  model: ChannelModel | undefined;
  /** Those of `model`. */
  acks = new GatheredAcks(undefined);
  deliveries = new QuickDeliveries(undefined);
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  isBlocked = false;
  /** Why there is no connection, where that is known. */
  failure: string | undefined;
  /** Run on every fresh connection before it counts as open. */
  beforeOpen: (model: ChannelModel) => Promise<void> = async () => {};
  /** Something that should have been declared on this connection is missing. */
  onMissing: () => void = () => {};
  readonly #options: BrokerOptions;
  readonly #addresses: readonly [URL, ...URL[]];
  /** Index of the address that is tried next, or connected to. */
  #at = 0;
  /** Tried after all others until then, ms. */
  readonly #avoidedUntilMs = new Map<string, number>();
  readonly #listeners = new Map<ConnectionEvent, Set<(detail: string) => void>>();
  readonly #closing = new AbortController();
  readonly #parts: (() => Partial<PartFigures>)[] = [];
  #opened = 0;

  /** @throws BrokerError `bad-address` */
  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#addresses = addressesOf(options.url);
    checkTls(this.#addresses, options.tls);
    this.log = options.log ?? SILENT;
    this.random = options.random ?? Math.random;
    this.alarm = options.alarm ?? new Alarm();
    // Everything made from this connection listens, however many that are.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Aborted by {@link AmqpConnection.close}. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** It has several addresses: RabbitMQ is a cluster. */
  get isToSeveral(): boolean {
    return this.#addresses.length > 1;
  }

  /** `host:port` of each, in the order in which they are tried. */
  get addresses(): readonly string[] {
    return this.#addresses.map(brokerName);
  }

  /** `host:port` of the one that it is connected to; undefined: none. */
  get address(): string | undefined {
    return this.state === 'open' ? brokerName(this.#addresses[this.#at] ?? this.#addresses[0]) : undefined;
  }

  /** For `ms` this address is the last to be tried. */
  avoid(address: string, ms: number): void {
    this.#avoidedUntilMs.set(address, monotonicNow() + ms);
  }

  /** Connects anew, as after a loss. */
  renew(): void {
    this.acks.flush();
    this.model?.close().catch(() => {});
  }

  /** First number of RabbitMQ's version; NaN while there is no connection. */
  get serverMajor(): number {
    return Number.parseInt(this.model?.connection.serverProperties.version ?? '', 10);
  }

  /** What is made from this connection says so what it does; for as long as the connection lives. */
  counts(part: () => Partial<PartFigures>): void {
    this.#parts.push(part);
  }

  /** What it does at this moment. */
  figures(): ConnectionFigures {
    return {
      isConnected: this.state === 'open',
      isBlocked: this.isBlocked,
      reconnects: Math.max(0, this.#opened - 1),
      ...sumOf(this.#parts),
    };
  }

  on(event: ConnectionEvent, fn: (detail: string) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(fn);
    return () => set.delete(fn);
  }

  /**
   * Connects for the first time, as often as `attempts` says; with `takesNo` it also rejects at once what the broker
   * refuses, which else is tried again: a password or a virtual host may be made later.
   */
  async start(attempts: number, signal: AbortSignal | undefined, takesNo: boolean): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (signal?.aborted || this.closing.aborted) {
        await this.close();
        throw new BrokerError('broker-closed', 'Connecting was aborted.', signal?.reason);
      }
      try {
        await this.#establish(signal);
        return;
      } catch (error) {
        this.failure = messageOf(error);
        const isFinal = takesNo && error instanceof BrokerError && error.code === 'broker-refused';
        if (isFinal || attempt + 1 >= attempts || signal?.aborted || this.closing.aborted) {
          await this.close();
          throw error;
        }
        this.log.warn({ attempt: attempt + 1, error: this.failure }, 'broker connect failed');
        await this.#pause(attempt, signal);
      }
    }
  }

  whenOpen(timeoutMs?: number): Promise<void> {
    if (this.state === 'open') return Promise.resolve();
    if (this.state === 'closed') return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        off();
        this.closing.removeEventListener('abort', onClose);
        finish();
      };
      const off = this.on('open', () => settle(resolve));
      const onClose = () => settle(() => reject(closedError()));
      this.closing.addEventListener('abort', onClose);
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => settle(() => reject(unavailableError(timeoutMs))), timeoutMs);
      }
    });
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.alarm.over(this);
    this.#closing.abort();
    const model = this.model;
    this.model = undefined;
    if (!model) return;
    this.acks.flush();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([model.close().catch(() => {}), deadline]);
    clearTimeout(timer);
    destroyStream(model);
  }

  async #establish(signal: AbortSignal | undefined): Promise<void> {
    const model = await this.#dial();
    let lostBy: string | undefined;
    model.on('error', (error) => {
      this.log.debug({ error: messageOf(error) }, 'broker connection error');
    });
    model.on('close', (error) => {
      lostBy = error ? messageOf(error) : 'closed';
      destroyStream(model);
      if (this.model === model) this.#lost(lostBy);
    });
    model.on('blocked', (reason) => {
      this.isBlocked = true;
      this.log.warn({ reason }, 'broker blocked');
      this.alarm.raised(this, reason);
      this.#emit('blocked', reason);
    });
    model.on('unblocked', () => {
      this.log.info({}, 'broker unblocked');
      this.#unblocked();
    });
    try {
      await this.beforeOpen(model);
      if (lostBy !== undefined)
        throw new BrokerError('broker-unreachable', `Connection lost again: ${lostBy}.`);
      if (this.state === 'closed' || signal?.aborted) throw closedError();
    } catch (error) {
      if (lostBy === undefined) model.close().catch(() => {});
      throw error;
    }
    this.model = model;
    this.acks = new GatheredAcks(writerOf(model));
    this.state = 'open';
    this.#opened += 1;
    this.failure = undefined;
    const url = redactUrl((this.#addresses[this.#at] ?? this.#addresses[0]).href);
    this.log.info({ url, name: this.#options.name }, 'broker open');
    this.#emit('open', '');
  }

  /** Each address once, from the one that answered last on; with several that do not, what each says. */
  async #dial(): Promise<ChannelModel> {
    const failures: BrokerError[] = [];
    for (const at of this.#inTurn()) {
      this.#at = at;
      try {
        return await this.#dialAt(this.#addresses[at] ?? this.#addresses[0]);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        failures.push(error);
        if (this.state === 'closed') throw error;
      }
    }
    this.#at = (this.#at + 1) % this.#addresses.length;
    const [first] = failures;
    if (first !== undefined && failures.length === 1) throw first;
    const isRefused = failures.every(({ code }) => code === 'broker-refused');
    const message = failures.map(messageOf).join(' ');
    throw new BrokerError(isRefused ? 'broker-refused' : 'broker-unreachable', message, failures);
  }

  /** Indices of the addresses from the one that answered last on; behind them those that are avoided, for the shortest time first. */
  #inTurn(): number[] {
    const count = this.#addresses.length;
    const nowMs = monotonicNow();
    const avoidedMs = (at: number) =>
      Math.max(0, (this.#avoidedUntilMs.get(this.addresses[at] ?? '') ?? 0) - nowMs);
    const turn = Array.from({ length: count }, (_, n) => (this.#at + n) % count);
    return turn.sort((a, b) => avoidedMs(a) - avoidedMs(b));
  }

  async #dialAt(address: URL): Promise<ChannelModel> {
    const { name, heartbeatSeconds = 10, connectTimeoutMs = 5000, dial } = this.#options;
    if (dial) return (await dial(address.href)) as ChannelModel;
    const target = new URL(address);
    if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', String(heartbeatSeconds));
    const shown = redactUrl(address.href);
    try {
      const reads = new SharedReads();
      const model = await connect(target.toString(), {
        noDelay: true,
        keepAlive: true,
        timeout: connectTimeoutMs,
        ...reads.socketOptions,
        ...socketTls(this.#options.tls),
        clientProperties: { connection_name: name },
      });
      gatherWrites(model);
      const deliveries = new QuickDeliveries(model);
      this.deliveries = deliveries;
      handleLargeBodies(model, reads);
      reads.orElse((read) => deliveries.takeRead(read));
      surviveDeepHeaders(model);
      keepBinaryIds(model);
      return model;
    } catch (cause) {
      const message = messageOf(cause);
      if (REFUSED.test(message)) {
        throw new BrokerError(
          'broker-refused',
          `RabbitMQ at ${shown} refuses this connection; check user, password, virtual host and permissions.`,
          cause,
        );
      }
      throw new BrokerError(
        'broker-unreachable',
        `RabbitMQ at ${shown} does not answer (${message}); ${hintFor(cause)}.`,
        cause,
      );
    }
  }

  #lost(reason: string): void {
    this.model = undefined;
    if (this.state === 'closed') return;
    this.state = 'connecting';
    this.failure = reason;
    this.log.warn({ reason }, 'broker lost');
    if (this.isBlocked) this.#unblocked();
    this.#emit('lost', reason);
    void this.#recover();
  }

  #unblocked(): void {
    this.isBlocked = false;
    this.alarm.over(this);
    this.#emit('unblocked', '');
  }

  async #recover(): Promise<void> {
    for (let attempt = 0; this.state === 'connecting'; attempt++) {
      await this.#pause(attempt, undefined);
      if (this.state !== 'connecting') return;
      try {
        await this.#establish(undefined);
        return;
      } catch (error) {
        this.failure = messageOf(error);
        this.log.warn({ attempt: attempt + 1, error: this.failure }, 'broker reconnect failed');
      }
    }
  }

  #pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const { retryMinMs = 100, retryMaxMs = 5000 } = this.#options;
    const delayMs = backoffMs(attempt, { minMs: retryMinMs, maxMs: retryMaxMs }, this.random);
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.closing.removeEventListener('abort', done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      this.closing.addEventListener('abort', done);
      signal?.addEventListener('abort', done);
    });
  }

  #emit(event: ConnectionEvent, detail: string): void {
    for (const fn of [...(this.#listeners.get(event) ?? [])]) {
      try {
        fn(detail);
      } catch (error) {
        this.log.error({ event, error: messageOf(error) }, 'broker listener threw');
      }
    }
  }
}

function addressesOf(url: string): [URL, ...URL[]] {
  try {
    return brokerAddresses(url);
  } catch (cause) {
    throw new BrokerError('bad-address', messageOf(cause), cause);
  }
}

/** What an operation on a closed broker rejects with. */
export function closedError(): BrokerError {
  return new BrokerError('broker-closed', 'The broker connection was closed; open a new one.');
}

/** What an operation rejects with when the broker did not answer in time. */
export function unavailableError(timeoutMs: number, cause?: unknown): BrokerError {
  return new BrokerError(
    'broker-unavailable',
    `RabbitMQ did not answer within ${timeoutMs} ms; try again.`,
    cause,
  );
}
