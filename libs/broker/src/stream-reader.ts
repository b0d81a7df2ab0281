import { backoffMs, LogLimit, sleep } from '@evenkeel/pace';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { AmqpConnection } from './connection.js';
import { IncomingDelivery } from './delivery.js';
import { messageOf, REPLY, replyCodeOf } from './errors.js';
import { closeChannel, openChannel } from './topology.js';
import type { Delivery } from './types.js';

/** Records on their way at most. */
const prefetch = 1_000;
const retry = { minMs: 100, maxMs: 2_000 };
/** A reading that held so long was no failed attempt. */
const heldMs = 5_000;
/** Without a record for so long, and with nothing on its way either, the end has been reached. */
const quietMs = 100;
/** Where it is never quiet the end is what has come after so many looks: the rest of the last chunk has come with its first record. */
const busyLooks = 10;

/** Between two looks whether it stands still. */
const lookEveryMs = 2_000;
/** So long may nothing come before it has caught up. */
const patienceMs = 10_000;
const stoodStill = 'it stood still';

/** What a stream has of a message: headers that are tables or arrays are lost in it with RabbitMQ 3. */
export type StreamRecord = Pick<Delivery, 'body' | 'exchange' | 'key' | 'properties'>;

/** Where a {@link StreamReader} begins, where it is not the first record. */
export interface StreamReaderOptions {
  /** Awaited before each reading, for what is to be declared. */
  prepare?(): Promise<unknown>;
  /** The offset to begin at; `last`: of the stream's last record, -1: it has none. */
  from?(last: number): number | 'first';
}

/** What a {@link StreamReader} tells. */
export interface StreamListener {
  /** It is read from its first record, or from where the options say: what follows is all that it has from there. */
  onStart(): void;
  /** One record, in the order of the stream. It is acknowledged by the reader. Returns `false` to begin again at once. */
  onRecord(record: StreamRecord, offset: number): unknown;
  /** What was in it at the start has been told; from here on records come as they are written. */
  onCaughtUp(): void;
  /** No record comes until the next `onStart`. */
  onLost(why: string): void;
}

/**
 * Reads a stream from its first record, or from where the options say, on a channel of its own, and once more after each loss of the
 * connection, the channel or the stream itself. RabbitMQ has no word for the end of a stream: a first consumer shows the last chunk,
 * and the second has caught up when it has got as far.
 */
export class StreamReader {
  readonly #connection: AmqpConnection;
  readonly #queue: string;
  readonly #listener: StreamListener;
  readonly #options: StreamReaderOptions;
  readonly #stopping = new AbortController();
  readonly #failures = new LogLimit(5_000);
  #running: Promise<void> | undefined;
  #isOpen = false;
  #reason: string | undefined = 'not started';

  constructor(
    connection: AmqpConnection,
    queue: string,
    listener: StreamListener,
    options: StreamReaderOptions = {},
  ) {
    this.#connection = connection;
    this.#queue = queue;
    this.#listener = listener;
    this.#options = options;
    connection.counts(() => ({ channels: this.#isOpen ? 1 : 0 }));
  }

  /** True while records come as they are written; else why not. */
  readiness(): true | string {
    return this.#reason === undefined || `stream ${this.#queue}: ${this.#reason}`;
  }

  /** Reads from now on. */
  start(): void {
    this.#reason = 'not read yet';
    this.#running ??= this.#run();
  }

  /** Nothing is told after it has resolved. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const model = await this.#model();
      if (model === undefined) return;
      const fromMs = performance.now();
      const why = await this.#read(model);
      this.#reason = why;
      if (signal.aborted) return;
      const suppressed = this.#failures.pass(performance.now());
      if (suppressed !== undefined) {
        this.#connection.log.warn({ queue: this.#queue, reason: why, suppressed }, 'stream not read');
      }
      this.#tell('lost', () => this.#listener.onLost(why));
      if (performance.now() - fromMs > heldMs) attempt = 0;
      await sleep(backoffMs(attempt, retry, this.#connection.random), signal).catch(() => {});
    }
  }

  /** Undefined: it is stopped, or the connection closed. */
  async #model(): Promise<ChannelModel | undefined> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let onAbort = () => {};
      const aborted = new Promise<false>((resolve) => {
        onAbort = () => resolve(false);
        signal.addEventListener('abort', onAbort);
      });
      const opened = this.#connection.whenOpen().then(
        () => true,
        () => false,
      );
      const isOpen = await Promise.race([opened, aborted]);
      signal.removeEventListener('abort', onAbort);
      if (!isOpen) return undefined;
      if (this.#connection.model) return this.#connection.model;
    }
    return undefined;
  }

  /** Resolves with why it is over. */
  async #read(model: ChannelModel): Promise<string> {
    let channel: Channel;
    try {
      await this.#options.prepare?.();
      channel = await openChannel(model);
    } catch (error) {
      return messageOf(error);
    }
    let end: (why: string) => void = () => {};
    const ended = new Promise<string>((resolve) => {
      end = resolve;
    });
    this.#isOpen = true;
    channel.on('close', () => {
      this.#isOpen = false;
      end('its channel was closed');
    });
    const onStop = () => end('stopped');
    this.#stopping.signal.addEventListener('abort', onStop);
    if (this.#stopping.signal.aborted) onStop();
    const ack = this.#connection.acks.of(channel);
    const reading = new Reading(channel, ack, this.#queue, end, (name, tell) => this.#tell(name, tell));
    reading
      .begin(this.#listener, this.#options.from)
      .then(() => {
        this.#reason = undefined;
        return reading.watch();
      })
      .catch((error: unknown) => {
        const isMissing = replyCodeOf(error) === REPLY.notFound;
        end(isMissing ? 'it is missing' : messageOf(error));
      });
    const why = await ended;
    reading.stop();
    this.#stopping.signal.removeEventListener('abort', onStop);
    await closeChannel(channel);
    return why;
  }

  /** A listener's fault must not end the reading. */
  #tell(event: string, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#connection.log.error(
        { queue: this.#queue, event, error: messageOf(error) },
        'stream listener threw',
      );
    }
  }
}

/** One reading of it, from its start to the loss of its channel. */
class Reading {
  readonly #over = new AbortController();
  /** Offset of the newest record that has come; -1: none. */
  #reached = -1;
  readonly #channel: Channel;
  readonly #ack: (tag: number) => void;
  readonly #queue: string;
  readonly #end: (why: string) => void;
  readonly #tell: (event: string, listener: () => void) => void;

  constructor(
    channel: Channel,
    ack: (tag: number) => void,
    queue: string,
    end: (why: string) => void,
    tell: (event: string, listener: () => void) => void,
  ) {
    this.#channel = channel;
    this.#ack = ack;
    this.#queue = queue;
    this.#end = end;
    this.#tell = tell;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  stop(): void {
    this.#over.abort();
  }

  /** Resolves once it has caught up, having told so. */
  async begin(listener: StreamListener, from: StreamReaderOptions['from']): Promise<void> {
    await this.#channel.prefetch(prefetch);
    const end = await this.#endOfStream();
    // Not empty, but slow: taken for empty, everything in it would pass for new.
    if (end < 0 && (await this.#channel.checkQueue(this.#queue)).messageCount > 0)
      throw new Error('it does not say how far it goes');
    this.#tell('start', () => listener.onStart());
    await this.#consume(from?.(end) ?? 'first', (offset, record) => {
      this.#reached = offset;
      let isBroken = false;
      this.#tell('record', () => {
        isBroken = listener.onRecord(record, offset) === false;
      });
      if (!isBroken) return;
      this.stop();
      this.#end('it begins anew');
    });
    let movedAtMs = performance.now();
    for (let before = this.#reached; this.#reached < end; before = this.#reached) {
      await this.#look();
      if (this.#reached !== before) movedAtMs = performance.now();
      else if (performance.now() - movedAtMs >= patienceMs) throw new Error(stoodStill);
    }
    if (this.isOver) throw new Error('lost');
    this.#tell('caught up', () => listener.onCaughtUp());
  }

  /**
   * From when it has caught up until it is over, which it is when it stands still. When a stream gets another leader, as after a partition,
   * RabbitMQ may leave a reader where it is: its channel and its consumer stay, and nothing comes any more (seen with 3.10.8), while a new
   * one gets everything. So where nothing comes and the number of records is another, a new one looks how far the stream goes. (The number
   * itself shows nothing: RabbitMQ 3.10 is up to 5 s late with it.)
   */
  async watch(): Promise<void> {
    let seen: number | undefined;
    for (let before = this.#reached; ; before = this.#reached) {
      await sleep(lookEveryMs, this.#over.signal);
      const { messageCount } = await this.#channel.checkQueue(this.#queue);
      if (this.#reached !== before || messageCount === seen) continue;
      const end = await this.#endOfStream();
      if (end > before) {
        // It may have been on its way.
        await sleep(lookEveryMs, this.#over.signal);
        if (this.#reached === before) return this.#end(stoodStill);
      } else if (end === before) seen = messageCount;
    }
  }

  /** Offset of the last record, or of a later one that has come meanwhile; -1: there is none. */
  async #endOfStream(): Promise<number> {
    let last = -1;
    const tag = await this.#consume('last', (offset) => {
      last = offset;
    });
    let looks = 0;
    for (let before = Number.NaN; before !== last && looks < busyLooks; ) {
      before = last;
      await this.#look();
      if (last >= 0) looks += 1;
    }
    await this.#channel.cancel(tag);
    return last;
  }

  /** After a moment, and once what has arrived is read. */
  async #look(): Promise<void> {
    await sleep(quietMs);
    // What has arrived is read before the answer to this.
    await this.#channel.prefetch(prefetch);
    if (this.isOver) throw new Error('lost');
  }

  async #consume(
    offset: 'first' | 'last' | number,
    onRecord: (offset: number, record: IncomingDelivery) => void,
  ): Promise<string> {
    const at = { channel: this.#channel, isOpen: true, ack: this.#ack };
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) return this.#end('it was deleted');
      if (this.isOver) return;
      const delivery = new IncomingDelivery(message, at);
      const position: unknown = message.properties.headers?.['x-stream-offset'];
      onRecord(typeof position === 'number' ? position : Number(position), delivery);
      delivery.ack();
    };
    const options = { arguments: { 'x-stream-offset': offset } };
    return (await this.#channel.consume(this.#queue, onMessage, options)).consumerTag;
  }
}
