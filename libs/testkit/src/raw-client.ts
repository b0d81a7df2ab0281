import { subprotocol } from '@evenkeel/protocol';
import WebSocket from 'ws';

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

export interface RawOptions {
  /** Default `evenkeel.v1`; undefined: a bare client. */
  readonly protocol?: string | undefined;
  /** Acknowledge every event as it comes. Default true. */
  readonly acks?: boolean;
}

/** A WebSocket that keeps every frame it got, does nothing by itself but acknowledge, and can stop reading. */
export class RawClient {
  readonly frames: RawFrame[] = [];
  /** Text and binary messages as they came, for bare clients. */
  readonly messages: (string | Buffer)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  acks: boolean;
  closeCode: number | undefined;
  readonly #socket: WebSocket;
  #everyMs = 0;
  #tap: NodeJS.Timeout | undefined;

  private constructor(socket: WebSocket, options: RawOptions) {
    this.#socket = socket;
    this.acks = options.acks ?? true;
    socket.on('message', (body: Buffer, isBinary) => this.#onMessage(body, isBinary));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.closeCode = code;
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Dials and resolves once open. @throws Error with the HTTP status when the upgrade is refused. */
  static async open(url: string, ticket: string, options: RawOptions = {}): Promise<RawClient> {
    const protocol = 'protocol' in options ? options.protocol : subprotocol;
    const socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`, protocol ?? [], {
      perMessageDeflate: false,
    });
    const client = new RawClient(socket, options);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
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

  send(frame: object): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string | Buffer): void {
    this.#socket.send(text);
  }

  ack(seq: number): void {
    this.send({ t: 'ack', seq });
  }

  /** The first frame of this kind (that `is` accepts), waiting for it. */
  async frame(
    t: string,
    is: (frame: RawFrame) => boolean = () => true,
    timeoutMs = 10_000,
  ): Promise<RawFrame> {
    let found: RawFrame | undefined;
    await this.until(
      `a frame ${t}`,
      () => {
        found = this.frames.find((frame) => frame.t === t && is(frame));
        return found !== undefined;
      },
      timeoutMs,
    );
    return found as unknown as RawFrame;
  }

  /** Waits for `count` events in all. */
  async eventCount(count: number, timeoutMs = 10_000): Promise<void> {
    await this.until(`${count} events`, () => this.events.length >= count, timeoutMs);
  }

  async until(what: string, is: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadlineMs = Date.now() + timeoutMs;
    while (!is()) {
      if (Date.now() > deadlineMs) {
        const last = JSON.stringify(this.frames.slice(-5)).slice(0, 600);
        throw new Error(`not within ${timeoutMs} ms: ${what}; closed ${this.closeCode}; last frames ${last}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves when the edge has handled everything sent before, and this client got what it sent meanwhile. */
  async pinged(): Promise<void> {
    const before = this.of('pong').length;
    this.send({ t: 'ping' });
    await this.until('pong', () => this.of('pong').length > before);
  }

  /** Stops reading: the edge sees a peer that takes no more bytes. */
  freeze(): void {
    this.#socket.pause();
  }

  thaw(): void {
    this.#socket.resume();
  }

  /** Reads on, but one message and then nothing for `everyMs`. 0: at full speed again. */
  trickle(everyMs: number): void {
    this.#everyMs = everyMs;
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

  #onMessage(body: Buffer, isBinary: boolean): void {
    if (this.#everyMs > 0) {
      this.freeze();
      clearTimeout(this.#tap);
      this.#tap = setTimeout(() => this.thaw(), this.#everyMs);
    }
    if (isBinary || this.#socket.protocol === '') {
      this.messages.push(isBinary ? body : body.toString('utf8'));
      return;
    }
    const frame = JSON.parse(body.toString('utf8')) as RawFrame;
    this.frames.push(frame);
    if (this.acks && frame.t === 'event' && this.isOpen) this.send({ t: 'ack', seq: frame.seq });
  }
}

/** What a refused upgrade is answered with. */
export async function refusal(
  url: string,
  query: string,
): Promise<{ status: number; body: { error: { code: string; message: string } } }> {
  return await new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}${query}`, subprotocol);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('it was let in'));
    });
    socket.on('error', reject);
  });
}
