import type uWS from 'uWebSockets.js';
import { type CloseCode, closeCodes } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { placeLength, placeOf, topicOf } from '../../frame/placed.js';
import type { Connection, ConnectionOwner } from '../connection.js';
import type { ConnectionCounts } from '../counts.js';
import type { Admitted, Dismissed } from '../gate.js';
import { utf8 } from './text.js';

/** uWebSockets.js copies it field by field, slowly: one field. */
export interface UserData {
  accepted: Accepted;
}

/** Who got a WebSocket, and the connection of an admitted one once it is open. */
interface Accepted {
  readonly verdict: Admitted | Dismissed;
  readonly address: () => string;
  connection: UwsConnection | undefined;
  /** Of one who is dismissed: when. */
  dismissal: NodeJS.Timeout | undefined;
  /** Its first frame has come. */
  hasSpoken: boolean;
}

export interface UwsConnectionOptions {
  highWatermarkBytes: number;
  /** Beyond it topic messages are dropped, and anything else closes. */
  maxBufferedBytes: number;
  now: () => number;
}

/** A WebSocket of uWebSockets.js. */
export class UwsConnection implements Connection {
  readonly claims: TicketClaims;
  readonly isBare: boolean;
  readonly openedAtMs: number;
  slowSinceMs: number | undefined;
  closeCode: number | undefined;
  owner: ConnectionOwner | undefined;
  #hasDropped = false;
  /** Topics of which something was dropped that is not told: a smaller message must not come ahead of that. */
  readonly #paused = new Set<string>();
  /** Those of them that the engine is to bring again. */
  readonly #resumed = new Set<string>();
  /** From here. */
  #isClosed = false;
  #ws: uWS.WebSocket<UserData> | undefined;
  readonly #address: () => string;
  readonly #options: UwsConnectionOptions;
  readonly #counts: ConnectionCounts;

  constructor(
    ws: uWS.WebSocket<UserData>,
    { claims, isBare }: Admitted,
    address: () => string,
    options: UwsConnectionOptions,
    counts: ConnectionCounts,
  ) {
    this.#ws = ws;
    this.claims = claims;
    this.isBare = isBare;
    this.#address = address;
    this.#options = options;
    this.#counts = counts;
    this.openedAtMs = options.now();
  }

  get address(): string {
    return this.#address();
  }

  get isOpen(): boolean {
    return this.#ws !== undefined;
  }

  /** It was closed from here. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get bufferedBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  get roomBytes(): number {
    return this.#options.maxBufferedBytes - this.bufferedBytes;
  }

  send(text: string): boolean {
    const bytes = utf8(text);
    return this.#sent(this.#ws?.send(bytes, false), bytes.length);
  }

  sendBinary(bytes: Buffer): boolean {
    return this.#sent(this.#ws?.send(bytes, true), bytes.length);
  }

  sendMessage(frame: string): void {
    if (this.#paused.size > 0 && this.#paused.has(topicOf(frame) ?? '')) return;
    const bytes = utf8(frame);
    const result = this.#ws?.send(bytes, false);
    if (result === undefined || result === 2) return;
    this.#counts.bytesOut += bytes.length;
    this.#counts.topicFrames += 1;
  }

  close(why: Pick<CloseCode, 'code' | 'reason'>): void {
    const ws = this.#ws;
    if (!ws) return;
    this.#isClosed = true;
    // A frozen peer never answers the close handshake; uWebSockets.js ends it after its own timeout.
    ws.end(why.code, why.reason);
  }

  subscribe(topic: string): void {
    this.#ws?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#resumed.delete(topic);
    this.#ws?.unsubscribe(topic);
  }

  takeDropped(): boolean {
    const hasDropped = this.#hasDropped;
    this.#hasDropped = false;
    for (const topic of this.#resumed) this.#ws?.subscribe(topic);
    this.#resumed.clear();
    this.#paused.clear();
    return hasDropped;
  }

  // --- from the engine ---

  drained(): void {
    const isBehind = this.bufferedBytes > this.#options.highWatermarkBytes;
    if (isBehind && !this.#hasDropped) return;
    if (!isBehind) this.slowSinceMs = undefined;
    this.owner?.onDrain();
  }

  dropped(message: ArrayBuffer): void {
    this.slowSinceMs ??= this.#options.now();
    const beginning = Buffer.from(message, 0, Math.min(placeLength, message.byteLength)).toString('latin1');
    const place = placeOf(beginning);
    if (place !== undefined && this.owner?.onDropped?.(place)) return;
    this.#hasDropped = true;
    const topic = topicOf(beginning);
    if (topic === undefined || this.#paused.has(topic)) return;
    this.#paused.add(topic);
    // The engine is at work on the topic now.
    setImmediate(() => this.#pause(topic));
  }

  /** Where the engine has it by its name. Once that is told it goes on. */
  #pause(topic: string): void {
    if (!this.#paused.has(topic) || !this.#ws?.unsubscribe(topic)) return;
    this.#resumed.add(topic);
  }

  gone(code: number): void {
    this.#ws = undefined;
    this.closeCode = code;
    this.owner?.onClose(this.#isClosed ? undefined : code);
    this.owner = undefined;
  }

  #sent(result: number | undefined, bytes: number): boolean {
    if (result === undefined) return false;
    if (result === 2) {
      // Past the backpressure limit uWebSockets.js drops; a frame of the protocol must not vanish unseen.
      this.close(closeCodes.slowConsumer);
      return false;
    }
    this.#counts.bytesOut += bytes;
    if (
      result === 0 &&
      this.slowSinceMs === undefined &&
      this.bufferedBytes > this.#options.highWatermarkBytes
    ) {
      this.slowSinceMs = this.#options.now();
    }
    return true;
  }
}
