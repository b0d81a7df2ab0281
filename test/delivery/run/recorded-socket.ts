import WebSocket from 'ws';
import type { Frame } from '../log.js';
import type { Recorder } from './recorder.js';

/** Whose sockets they are. */
export interface SocketOwner {
  readonly recorder: Recorder;
  readonly uid: string;
  /** As the gateway has named it last. */
  readonly session: string;
  readonly sockets: Set<RecordedSocket>;
}

let opened = 0;

/** A socket of an SDK, which records what passes, and can be spoilt as a network does. */
export class RecordedSocket extends WebSocket {
  readonly #owner: SocketOwner;
  readonly #name = `s${++opened}`;
  #isOver = false;
  #isFrozen = false;
  #held: string[] = [];

  /** A class of sockets, as `WebSocket` of an SDK's options. */
  static of(owner: SocketOwner): new (url: string, protocols?: string[]) => RecordedSocket {
    return class extends RecordedSocket {
      constructor(url: string, protocols?: string[]) {
        super(owner, url, protocols);
      }
    };
  }

  constructor(owner: SocketOwner, url: string, protocols?: string[]) {
    super(url, protocols, { handshakeTimeout: 5_000, perMessageDeflate: false });
    this.#owner = owner;
    const { recorder, uid, session, sockets } = owner;
    sockets.add(this);
    recorder.add({ kind: 'open', connection: this.#name, uid, session, hands: true });
    this.on('message', (bytes: Buffer) => this.#record('frame', bytes.toString()));
    this.on('close', (code: number) => this.#end(code === 1006 ? 'cut' : 'edge', code));
    this.on('error', () => undefined);
  }

  override send(text: string): void {
    if (this.#isFrozen) this.#held.push(text);
    else this.#write(text);
  }

  override close(code?: number, reason?: string): void {
    this.#end('client', code ?? 1000);
    super.close(code, reason);
  }

  override terminate(): void {
    this.#end('cut', 1006);
    super.terminate();
  }

  /** Reads nothing, and what is sent waits. */
  freeze(): void {
    this.#isFrozen = true;
    this.pause();
  }

  thaw(): void {
    if (this.#isOver) return;
    this.#isFrozen = false;
    this.resume();
    for (const text of this.#held.splice(0)) this.#write(text);
  }

  /** Stays open with nobody at its end, who takes it for lost. */
  leave(): this {
    this.pause();
    this.#end('cut', 1006);
    this.emit('close', 1006, Buffer.alloc(0));
    this.removeAllListeners();
    this.on('error', () => undefined);
    return this;
  }

  #write(text: string): void {
    if (this.#isOver || this.readyState !== WebSocket.OPEN) return;
    this.#record('send', text);
    super.send(text);
  }

  #record(kind: 'send' | 'frame', text: string): void {
    const frame = JSON.parse(text) as Frame;
    if (this.#isOver || frame.t === 'ping' || frame.t === 'pong') return;
    this.#owner.recorder.add({ kind, connection: this.#name, frame });
  }

  #end(by: 'client' | 'edge' | 'cut', code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.sockets.delete(this);
    this.#owner.recorder.add({ kind: 'close', connection: this.#name, by, code });
  }
}
