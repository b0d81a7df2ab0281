import { type EdgeFrame, subprotocol } from '@evenkeel/protocol/wire';
import WebSocket from 'ws';
import { readRefusal } from './refusal.js';

/** A frame as it came: fields by name. */
export interface RawFrame {
  readonly t: string;
  readonly seq?: number;
  readonly id?: string;
  readonly name?: string;
  readonly topic?: string;
  readonly re?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly data?: unknown;
  readonly redelivered?: boolean;
  readonly [field: string]: unknown;
}

/** One WebSocket message. */
export interface Received {
  readonly text: string;
  readonly bytes: Buffer;
  readonly isBinary: boolean;
  /** Undefined when it is not a JSON object with `t`. */
  readonly frame: EdgeFrame | undefined;
  /** Of a clock that nobody sets back. */
  readonly atMs: number;
}

export type FrameOf<T extends EdgeFrame['t']> = Extract<EdgeFrame, { t: T }>;

export interface RawOptions {
  /** Default `evenkeel.v1`; undefined: a bare client. */
  readonly protocol?: string | undefined;
  /** Acknowledge every event as it comes. Default true. */
  readonly acks?: boolean;
  /** Certificate of the authority that a wss:// URL's is of, PEM. */
  readonly ca?: string;
  /** The name that is asked for in the TLS handshake. Default: the URL's, none where that has an address. */
  readonly servername?: string;
}

/** How long is waited for whatever is waited for, ms, unless the caller says otherwise. */
const patienceMs = 10_000;
/** What is waited for may not depend on this socket alone. */
const lookAgainMs = 10;

/**
 * A WebSocket that keeps every message in order, does nothing by itself but acknowledge, and can stop reading. Its
 * `frame` and `until` look at all that has come; `next` and its kin take each frame once.
 */
export class RawClient {
  /** All that has come. */
  readonly log: Received[] = [];
  /** The frames among it. */
  readonly frames: RawFrame[] = [];
  /** Text and binary messages as they came, for bare clients. */
  readonly messages: (string | Buffer)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** How the socket was closed, once it is. */
  ended: { code: number; reason: string } | undefined;
  acks: boolean;
  readonly #socket: WebSocket;
  readonly #unread: Received[] = [];
  readonly #listeners: ((received: Received) => void)[] = [];
  readonly #onChange = new Set<() => void>();
  readonly #opened: Promise<void>;
  #everyMs = 0;
  #dueAtMs = 0;
  #tap: NodeJS.Timeout | undefined;

  /** Dials. Most use {@link RawClient.open}, which waits for the answer. */
  constructor(url: string, ticket: string, options: RawOptions = {}) {
    const protocol = 'protocol' in options ? options.protocol : subprotocol;
    const address = `${url}${url.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`;
    const socket = new WebSocket(address, protocol ?? [], {
      handshakeTimeout: patienceMs,
      perMessageDeflate: false,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
    });
    this.#socket = socket;
    this.acks = options.acks ?? true;
    socket.on('message', (body: Buffer, isBinary) => this.#onMessage(body, isBinary));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.ended = { code, reason: reason.toString() };
        resolve(this.ended);
        this.#changed();
      });
    });
    this.#opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        readRefusal(response).then((refused) => {
          reject(refused);
          socket.terminate();
        }, reject);
      });
    });
    this.#opened.catch(() => {});
  }

  /** Dials and resolves once open. @throws UpgradeRefused when the answer is not 101. */
  static async open<Client extends RawClient>(
    this: new (
      url: string,
      ticket: string,
      options?: RawOptions,
    ) => Client,
    url: string,
    ticket: string,
    options?: RawOptions,
  ): Promise<Client> {
    const client = new this(url, ticket, options);
    await client.#opened;
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** The subprotocol that was agreed on; empty: none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  get events(): RawFrame[] {
    return this.of('event');
  }

  /** `data` of every event, in order. */
  get data(): unknown[] {
    return this.events.map((event) => event.data);
  }

  /** `t` of every frame, in order. */
  get kinds(): string[] {
    return this.frames.map((frame) => frame.t);
  }

  of(t: string): RawFrame[] {
    return this.frames.filter((frame) => frame.t === t);
  }

  /** An object as JSON; anything else as it is. */
  send(frame: object | string | Buffer): void {
    this.#socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  ack(seq: number): void {
    this.send({ t: 'ack', seq });
  }

  /** Hears of each message, those that have come included. */
  onReceived(listener: (received: Received) => void): void {
    for (const received of this.log) listener(received);
    this.#listeners.push(listener);
  }

  // --- looking at all that has come ---

  /** The first frame of this kind (that `is` accepts), waiting for it. */
  frame(t: string, is: (frame: RawFrame) => boolean = () => true, timeoutMs?: number): Promise<RawFrame> {
    const look = () => this.frames.find((frame) => frame.t === t && is(frame));
    return this.waitFor(`a frame ${t}`, look, timeoutMs);
  }

  /** Waits for `count` events in all. */
  async eventCount(count: number, timeoutMs?: number): Promise<void> {
    await this.until(`${count} events`, () => this.events.length >= count, timeoutMs);
  }

  /** Waits until `is` says so, also on a closed socket. */
  async until(what: string, is: () => boolean, timeoutMs = patienceMs): Promise<void> {
    await this.#wait(what, () => (is() ? true : undefined), timeoutMs, false);
  }

  /** Resolves when the edge has handled everything sent before, and this client got what it sent meanwhile. */
  async pinged(): Promise<void> {
    const before = this.of('pong').length;
    this.send({ t: 'ping' });
    await this.until('pong', () => this.of('pong').length > before);
  }

  // --- taking what has come, each once ---

  /** The first frame of that kind (and form) that was not taken yet. */
  next<T extends EdgeFrame['t']>(
    t: T,
    where: (frame: FrameOf<T>) => boolean = () => true,
    timeoutMs?: number,
  ): Promise<FrameOf<T>> {
    const isIt = (frame: EdgeFrame | undefined): frame is FrameOf<T> =>
      frame?.t === t && where(frame as FrameOf<T>);
    const take = () => {
      const index = this.#unread.findIndex(({ frame }) => isIt(frame));
      const found = this.#unread[index]?.frame;
      if (!isIt(found)) return undefined;
      this.#unread.splice(index, 1);
      return found;
    };
    return this.waitFor(`a frame '${t}'`, take, timeoutMs);
  }

  /** The next message as it came, for bare clients. */
  nextMessage(timeoutMs?: number): Promise<Received> {
    return this.waitFor('a message', () => this.#unread.shift(), timeoutMs);
  }

  /** The answer to the request `re`, whether taken before or not. */
  answer(re: string, timeoutMs?: number): Promise<FrameOf<'ok'> | FrameOf<'error'>> {
    const look = () => {
      for (const { frame } of this.#unread) {
        if ((frame?.t === 'ok' || frame?.t === 'error') && frame.re === re) return frame;
      }
      return undefined;
    };
    return this.waitFor(`an answer to '${re}'`, look, timeoutMs);
  }

  // --- the socket ---

  /** Stops reading: the edge sees a peer that takes no more bytes. */
  freeze(): void {
    this.#socket.pause();
  }

  thaw(): void {
    this.#socket.resume();
  }

  /** Reads on, but one message every `everyMs`; where its timer was late, the next ones at once. 0: at full speed again. */
  trickle(everyMs: number): void {
    this.#everyMs = everyMs;
    this.#dueAtMs = performance.now();
    this.thaw();
  }

  async close(code = 1000): Promise<void> {
    this.#socket.close(code);
    await this.closed;
  }

  /** Gone without a word. */
  terminate(): void {
    this.#socket.terminate();
  }

  /**
   * What `look` gives, as soon as that is not undefined.
   * @throws Error when it does not come in time, or cannot any more because the socket has closed.
   */
  protected waitFor<Value>(
    what: string,
    look: () => Value | undefined,
    timeoutMs = patienceMs,
  ): Promise<Value> {
    return this.#wait(what, look, timeoutMs, true);
  }

  #wait<Value>(
    what: string,
    look: () => Value | undefined,
    timeoutMs: number,
    endsWithSocket: boolean,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(deadline);
        clearInterval(again);
        this.#onChange.delete(check);
      };
      const fail = (why: string) => {
        done();
        reject(new Error(`${what} did not come${why}; ${this.#summary()}`));
      };
      const check = () => {
        const value = look();
        if (value !== undefined) {
          done();
          resolve(value);
        } else if (endsWithSocket && this.ended !== undefined) fail('');
      };
      const deadline = setTimeout(() => fail(` within ${timeoutMs} ms`), timeoutMs);
      const again = setInterval(check, lookAgainMs);
      this.#onChange.add(check);
      check();
    });
  }

  #onMessage(bytes: Buffer, isBinary: boolean): void {
    if (this.#everyMs > 0) this.#waitForNext();
    const text = bytes.toString('utf8');
    const frame = isBinary ? undefined : frameIn(text);
    const received: Received = { text, bytes, isBinary, frame, atMs: performance.now() };
    this.log.push(received);
    this.#unread.push(received);
    if (isBinary || this.#socket.protocol === '') this.messages.push(isBinary ? bytes : text);
    else if (frame !== undefined) this.frames.push(frame as unknown as RawFrame);
    const seq = acknowledged(frame);
    if (this.acks && seq !== undefined && this.isOpen) this.ack(seq);
    for (const listener of this.#listeners) listener(received);
    this.#changed();
  }

  /** Nothing until the next one is due. */
  #waitForNext(): void {
    this.#dueAtMs += this.#everyMs;
    clearTimeout(this.#tap);
    const waitMs = this.#dueAtMs - performance.now();
    if (waitMs <= 0) return this.thaw();
    this.freeze();
    this.#tap = setTimeout(() => this.thaw(), waitMs);
  }

  #changed(): void {
    for (const check of [...this.#onChange]) check();
  }

  #summary(): string {
    const last = this.log.slice(-5).map(({ text }) => text.slice(0, 120));
    const how = this.ended === undefined ? 'open' : `closed with ${this.ended.code} '${this.ended.reason}'`;
    return `${how}, ${this.log.length} messages${last.length > 0 ? `, the last ${last.join(' ')}` : ''}`;
  }
}

/** `seq` of what is to be acknowledged; of `moved` it says something else. */
function acknowledged(frame: EdgeFrame | undefined): number | undefined {
  return frame && 'seq' in frame && frame.t !== 'moved' ? frame.seq : undefined;
}

function frameIn(text: string): EdgeFrame | undefined {
  try {
    const value = JSON.parse(text) as EdgeFrame | null;
    return typeof value?.t === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
