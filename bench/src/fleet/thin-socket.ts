import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectByTls } from 'node:tls';
import type { WebSocketLike } from '@evenkeel/client';

const opcodes = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;
/** `readyState`, as of the standard. */
const states = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;
/** A close code that stands for none, or for an end without a close frame. RFC 6455, section 7.4.1. */
const noCode = 1005;
const abnormal = 1006;
const protocolError = 1002;
/** Longest frame understood, bytes. */
const maxFrameBytes = 16 * 1024 * 1024;
/** How long the other side may take to answer a close, ms. */
const closeTimeoutMs = 5_000;
const maxHeadBytes = 16 * 1024;

// A key is to tell apart connections that a cache has mixed up; between this process and its edges there is none.
const key = randomBytes(16).toString('base64');
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
/** Where every socket of the process reads into: what has come is used before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
const headEnd = Buffer.from('\r\n\r\n');

/**
 * A WebSocket client for load: thousands in a process, on the machine that also runs what is measured, so what they
 * cost is taken from that. Offers what the SDK uses of a WebSocket. Text only, no extensions, whole
 * messages only, masked with zeros; a server that sends anything else is cut off with 1002.
 */
export class ThinSocket implements WebSocketLike {
  readyState: number = states.connecting;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message?: unknown }) => void) | null = null;
  /** Host and port it was dialled at. */
  protected readonly host: string;
  readonly #socket: Socket;
  /** Bytes that came and are no whole frame yet. */
  #rest: Buffer | undefined;
  #closed: { code: number; reason: string } = { code: abnormal, reason: '' };
  #closing: NodeJS.Timeout | undefined;

  /**
   * @param from the address of this machine that it dials from; default: any.
   * @throws TypeError for an address that is no WebSocket URL.
   */
  constructor(address: string | URL, protocols: string[] = [], from?: string) {
    const url = new URL(address);
    const isSecure = url.protocol === 'wss:';
    if (!isSecure && url.protocol !== 'ws:') throw new TypeError(`ws: or wss: only, not ${url.protocol}`);
    this.host = url.host;
    const options: TcpNetConnectOpts = {
      host: url.hostname,
      port: Number(url.port || (isSecure ? 443 : 80)),
      noDelay: true,
      ...(from !== undefined && { localAddress: from }),
      onread: {
        buffer: readBuffer,
        callback: (length, bytes) => {
          this.#read(bytes as Buffer, length);
          return true;
        },
      },
    };
    const socket = isSecure ? connectByTls(options as ConnectionOptions) : connect(options);
    this.#socket = socket;
    socket.on('error', ({ message }) => this.onerror?.({ message }));
    socket.on('close', () => this.#ended());
    const offered = protocols.length > 0 ? `Sec-WebSocket-Protocol: ${protocols.join(', ')}\r\n` : '';
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${offered}\r\n`,
      'latin1',
    );
  }

  /** Nothing unless open. */
  send(text: string): void {
    if (this.readyState === states.open) this.#write(opcodes.text, text);
  }

  /** Begins the orderly end; after 5 s without an answer the connection is cut. */
  close(code?: number, reason = ''): void {
    if (this.readyState === states.connecting) return this.terminate();
    if (this.readyState !== states.open) return;
    this.readyState = states.closing;
    this.#writeClose(code ?? noCode, reason);
    this.#closing = setTimeout(() => this.terminate(), closeTimeoutMs);
  }

  /** Cuts the connection. */
  terminate(): void {
    if (this.readyState !== states.closed) this.#socket.destroy();
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  // --- for classes that look on, before whoever uses the socket ---

  protected seeOpen(): void {}

  protected seeMessage(_text: string): void {}

  protected seeClose(): void {}

  #read(chunk: Buffer, length: number): void {
    let bytes = chunk;
    let end = length;
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      end = bytes.length;
      this.#rest = undefined;
    }
    let at = this.readyState === states.connecting ? this.#readHead(bytes, end) : 0;
    while (at < end && this.readyState !== states.connecting && this.readyState !== states.closed) {
      const next = this.#readFrame(bytes, at, end);
      if (next === at) break;
      at = next;
    }
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end));
  }

  /** Where the answer to the upgrade ends; 0: it is not there yet, or it is a refusal. */
  #readHead(bytes: Buffer, end: number): number {
    const at = bytes.subarray(0, end).indexOf(headEnd);
    if (at < 0) {
      if (end > maxHeadBytes) this.terminate();
      return 0;
    }
    const head = bytes.toString('latin1', 0, at);
    if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(accept)) {
      this.terminate();
      return 0;
    }
    this.readyState = states.open;
    this.seeOpen();
    this.onopen?.();
    return at + headEnd.length;
  }

  /** Where the frame at `at` ends; `at` itself when it is not all there. */
  #readFrame(bytes: Buffer, at: number, end: number): number {
    if (end - at < 2) return at;
    const first = bytes[at] ?? 0;
    let size = bytes[at + 1] ?? 0;
    let from = at + 2;
    if (size === 126) {
      if (end - at < 4) return at;
      size = bytes.readUInt16BE(from);
      from += 2;
    } else if (size === 127) {
      if (end - at < 10) return at;
      size = Number(bytes.readBigUInt64BE(from));
      from += 8;
    }
    // Whole, no extension bits, unmasked.
    if ((first & 0xf0) !== 0x80 || size > maxFrameBytes || ((bytes[at + 1] ?? 0) & 0x80) !== 0) {
      return this.#violated(end);
    }
    if (end - from < size) return at;
    const to = from + size;
    switch (first & 0x0f) {
      case opcodes.text:
        this.#message(bytes.toString('utf8', from, to));
        break;
      case opcodes.ping:
        if (this.readyState === states.open) this.#write(opcodes.pong, bytes.toString('utf8', from, to));
        break;
      case opcodes.pong:
        break;
      case opcodes.close:
        this.#closeFrame(bytes, from, to);
        return end;
      default:
        return this.#violated(end);
    }
    return to;
  }

  #message(text: string): void {
    this.seeMessage(text);
    this.onmessage?.({ data: text });
  }

  #closeFrame(bytes: Buffer, from: number, to: number): void {
    const code = to - from >= 2 ? bytes.readUInt16BE(from) : noCode;
    this.#closed = { code, reason: to - from > 2 ? bytes.toString('utf8', from + 2, to) : '' };
    if (this.readyState === states.open) {
      this.readyState = states.closing;
      this.#writeClose(code, '');
      this.#socket.destroySoon();
    } else this.#socket.destroy();
  }

  #violated(end: number): number {
    if (this.readyState === states.open) this.#writeClose(protocolError, '');
    this.#socket.destroySoon();
    this.readyState = states.closing;
    return end;
  }

  #ended(): void {
    clearTimeout(this.#closing);
    this.readyState = states.closed;
    this.seeClose();
    this.onclose?.(this.#closed);
  }

  #writeClose(code: number, reason: string): void {
    const payload = code === noCode ? '' : String.fromCharCode(code >> 8, code & 0xff) + reason;
    this.#write(opcodes.close, payload, 'latin1');
  }

  #write(opcode: number, payload: string, encoding: 'utf8' | 'latin1' = 'utf8'): void {
    const size = Buffer.byteLength(payload, encoding);
    const head = size < 126 ? 6 : size < 65_536 ? 8 : 14;
    const frame = Buffer.allocUnsafe(head + size);
    frame[0] = 0x80 | opcode;
    if (head === 6) frame[1] = 0x80 | size;
    else if (head === 8) {
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(size, 2);
    } else {
      frame[1] = 0x80 | 127;
      frame.writeBigUInt64BE(BigInt(size), 2);
    }
    // The mask: zeros leave the payload as it is.
    frame.writeUInt32BE(0, head - 4);
    frame.write(payload, head, encoding);
    this.#socket.write(frame);
  }
}
