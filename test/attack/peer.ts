import { eventually } from '@evenkeel/testkit';
import WebSocket from 'ws';

export type Frame = Readonly<Record<string, unknown>> & { readonly t: string };

export interface Place {
  readonly url: string;
  readonly node: string;
  readonly ticket: string;
  readonly session: string;
  readonly pass?: string;
  readonly resume?: string;
}

const kept = 2000;

/** A socket of `evenkeel.v1` that says what it is told to, and may say what no client would. */
export class Peer {
  readonly frames: Frame[] = [];
  /** How many came of each kind. */
  readonly counts: Record<string, number> = {};
  /** How many of its frames were carried out, as far as that is answered, and how many `rate-limited`. */
  done = 0;
  limited = 0;
  closed: { code: number; reason: string } | undefined;
  /** Of the upgrade, when it was refused. */
  refused: number | undefined;
  readonly #socket: WebSocket;

  constructor(address: string, options: WebSocket.ClientOptions & { acks?: boolean } = {}) {
    const { acks = true, ...rest } = options;
    const socket = new WebSocket(address, 'evenkeel.v1', { perMessageDeflate: false, ...rest });
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_, response) => {
      this.refused = response.statusCode ?? 0;
      response.resume();
      socket.terminate();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    socket.on('message', (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as Frame;
      this.counts[frame.t] = (this.counts[frame.t] ?? 0) + 1;
      if (frame.code === 'rate-limited') this.limited++;
      else if (frame.re !== undefined || frame.t === 'pong') this.done++;
      if (this.frames.length < kept) this.frames.push(frame);
      if (frame.t === 'event' && acks) this.send({ t: 'ack', seq: frame.seq });
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Bytes that the other side has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** An object as JSON, a text as it is. */
  send(frame: object | string): void {
    if (this.isOpen) this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Part of a message whose end does not come. */
  sendUnfinished(text: string): void {
    if (this.isOpen) this.#socket.send(text, { fin: false });
  }

  of(t: string): Frame[] {
    return this.frames.filter((frame) => frame.t === t);
  }

  /** The answer to the frame of that id. */
  answerTo(id: string | number): Frame | undefined {
    return this.frames.find(({ re }) => re === String(id));
  }

  /** Waits for one of these to be so; how it ended is read from the peer itself. */
  async until(isSo: () => boolean, withinMs = 5000): Promise<boolean> {
    const isOver = () => isSo() || this.closed !== undefined;
    await eventually('the other side says something', isOver, withinMs).catch(() => undefined);
    return isSo();
  }

  pause(): void {
    this.#socket.pause();
  }

  drop(): void {
    this.#socket.terminate();
  }
}
