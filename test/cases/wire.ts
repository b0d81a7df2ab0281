import { eventually } from '@evenkeel/testkit';
import WebSocket from 'ws';

export type Frame = Readonly<Record<string, unknown>> & { readonly t: string };

/** A socket of `evenkeel.v1`, with frames written by hand. */
export class Wire {
  readonly session: string;
  readonly node: string;
  readonly frames: Frame[] = [];
  closed: number | undefined;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, { session, node }: { session: string; node: string }) {
    this.#socket = socket;
    this.session = session;
    this.node = node;
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.closed = code;
    });
    socket.on('message', (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as Frame;
      this.frames.push(frame);
      if (frame.t === 'event') this.send({ t: 'ack', seq: frame.seq });
    });
  }

  /** Asks the gateway, dials, says hello, and waits for `welcome`. */
  static async attach(
    gateway: string,
    query: Readonly<Record<string, string>>,
    hello: object = {},
    options: WebSocket.ClientOptions = {},
  ): Promise<Wire> {
    const response = await fetch(`${gateway}/gateway?${new URLSearchParams(query)}`);
    if (!response.ok) throw new Error(`gateway: ${response.status} ${await response.text()}`);
    const place = (await response.json()) as { url: string; ticket: string; session: string; node: string };
    const socket = new WebSocket(`${place.url}?ticket=${place.ticket}`, 'evenkeel.v1', options);
    const wire = new Wire(socket, place);
    socket.on('open', () => wire.send({ t: 'hello', ...hello }));
    await wire.until('welcome', () => wire.of('welcome').length > 0 || wire.closed !== undefined, 15_000);
    return wire;
  }

  send(frame: object | string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  of(t: string): Frame[] {
    return this.frames.filter((frame) => frame.t === t);
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Waits; true if it became so. */
  async until(what: string, isSo: () => boolean, withinMs = 5000): Promise<boolean> {
    return await eventually(what, isSo, withinMs).catch(() => false);
  }

  drop(): void {
    this.#socket.terminate();
  }
}
