import { type CloseCode, closeCodes } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { ClientText } from '../../frame/client-text.js';
import { placeLength, placeOf } from '../../frame/placed.js';
import type { Connection, ConnectionOwner } from '../connection.js';
import type { ConnectionCounts } from '../counts.js';
import { isLongHello } from '../payload.js';
import { PostOrder } from './order.js';
import { closeText, commentText, connectionText, dataPrefix, frameText } from './text.js';

/** The answer to one request, which goes on for as long as the connection. */
export interface ByteStream {
  /** Takes it in any case. False: the network takes no more for now; {@link SseConnection.writable} follows. */
  write(bytes: Buffer): boolean;
  /** The last that is written. */
  end(bytes: Buffer): void;
  /** Nothing more is written, and whoever reads is not told. */
  abort(): void;
}

/** Which topics this connection gets. */
interface TopicSubscribers {
  add(topic: string, connection: SseConnection): void;
  delete(topic: string, connection: SseConnection): void;
}

export interface SseConnectionOptions {
  readonly id: string;
  readonly claims: TicketClaims;
  readonly address: () => string;
  readonly stream: ByteStream;
  readonly topics: TopicSubscribers;
  readonly counts: ConnectionCounts;
  readonly highWatermarkBytes: number;
  /** Beyond it topic messages are dropped, and anything else closes. */
  readonly maxBufferedBytes: number;
  readonly maxPayloadBytes: number;
  now(): number;
  /** Once, however it ends. `code`: as its `closeCode`; `isFromHere`: it was closed with that. */
  onGone(connection: SseConnection, code: number, isFromHere: boolean): void;
}

/** How a connection ends that ends without a word. */
const abnormal = 1006;
/** At once, of what was kept back. */
const portionBytes = 65_536;
const newline = Buffer.from('\n');

/** A stream of server-sent events, and what its client posts. */
export class SseConnection implements Connection {
  readonly claims: TicketClaims;
  readonly isBare = false;
  readonly openedAtMs: number;
  /** As whom its client posts: who knows it speaks for the client. */
  readonly id: string;
  readonly order = new PostOrder();
  slowSinceMs: number | undefined;
  closeCode: number | undefined;
  owner: ConnectionOwner | undefined;
  /** Posts whose body is still coming. */
  posting = 0;
  /** When something of its client has last come, ms. */
  heardAtMs: number;
  readonly #options: SseConnectionOptions;
  readonly #topics = new Set<string>();
  /** What the network does not take yet, and of what it was given the part that it may not have taken. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #underwayBytes = 0;
  #hasDropped = false;
  #hasSpoken = false;

  constructor(options: SseConnectionOptions) {
    this.#options = options;
    this.id = options.id;
    this.claims = options.claims;
    this.openedAtMs = options.now();
    this.heardAtMs = this.openedAtMs;
  }

  get address(): string {
    return this.#options.address();
  }

  get isOpen(): boolean {
    return this.closeCode === undefined;
  }

  get bufferedBytes(): number {
    return this.#waitingBytes + this.#underwayBytes;
  }

  get roomBytes(): number {
    return this.#options.maxBufferedBytes - this.bufferedBytes;
  }

  /** Tells the client as whom it posts. */
  begin(): void {
    this.#put(Buffer.from(connectionText(this.id)));
  }

  send(text: string): boolean {
    return this.isOpen && this.#sent(Buffer.from(frameText(text)));
  }

  /** For bare clients alone, of which there are none here. */
  sendBinary(): boolean {
    return false;
  }

  sendMessage(frame: string): void {
    const bytes = Buffer.from(frameText(frame));
    if (this.isOpen && this.offer(bytes)) this.#options.counts.topicFrames += 1;
  }

  close(why: Pick<CloseCode, 'code' | 'reason'>): void {
    if (!this.isOpen) return;
    const { stream } = this.#options;
    const last = Buffer.concat([...this.#waiting, Buffer.from(closeText(why))]);
    this.#end(why.code, undefined);
    stream.end(last);
  }

  subscribe(topic: string): void {
    if (!this.isOpen) return;
    this.#topics.add(topic);
    this.#options.topics.add(topic, this);
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic);
    this.#options.topics.delete(topic, this);
  }

  takeDropped(): boolean {
    const hasDropped = this.#hasDropped;
    this.#hasDropped = false;
    return hasDropped;
  }

  /** A message of one of its topics, as {@link frameText} has it; dropped if the client is too far behind, until it is told. False: it was. */
  offer(bytes: Buffer): boolean {
    if (!this.#hasDropped && bytes.length <= this.roomBytes) {
      this.#put(bytes);
      return true;
    }
    this.slowSinceMs ??= this.#options.now();
    const place = placeOf(bytes.toString('latin1', dataPrefix.length, dataPrefix.length + placeLength));
    if (place === undefined || !this.owner?.onDropped?.(place)) this.#hasDropped = true;
    return false;
  }

  /** Something for who is in between, and for the client to say something itself. */
  comment(): void {
    if (this.isOpen) this.#put(Buffer.from(commentText));
  }

  /** The engine ends what takes nothing for ten seconds; each write puts that off, and how long is enough is the session's to say. */
  nudge(): void {
    if (this.#underwayBytes > 0 && this.#options.stream.write(newline)) this.writable();
  }

  // --- from the engine ---

  /** It posts, be it slowly. */
  heard(): void {
    this.heardAtMs = this.#options.now();
  }

  /** One frame that the client has posted. */
  take(text: string): void {
    const { counts, maxPayloadBytes } = this.#options;
    const frame = new ClientText(text);
    const { bytes } = frame;
    counts.framesIn += 1;
    const isFirst = !this.#hasSpoken;
    this.#hasSpoken = true;
    if (bytes > maxPayloadBytes && !(isFirst && isLongHello(text, bytes, maxPayloadBytes))) {
      counts.tooLarge += 1;
      return this.close(closeCodes.tooLarge);
    }
    this.owner?.onFrame(frame);
  }

  /** The network has taken what was underway. */
  writable(): void {
    if (!this.isOpen) return;
    this.#underwayBytes = 0;
    // Also where nothing waits: only by writing does the engine write what it has.
    if (this.#waiting.length === 0) this.#write(newline);
    while (this.#waiting.length > 0 && this.#underwayBytes === 0) this.#write(this.#portion());
    const isBehind = this.bufferedBytes > this.#options.highWatermarkBytes;
    if (isBehind && !this.#hasDropped) return;
    if (!isBehind) this.slowSinceMs = undefined;
    this.owner?.onDrain();
  }

  /** Its client has gone. */
  lost(): void {
    this.#end(abnormal, abnormal);
  }

  /** Its client has said nothing for too long. */
  giveUp(): void {
    if (!this.isOpen) return;
    this.lost();
    this.#options.stream.abort();
  }

  #sent(bytes: Buffer): boolean {
    if (bytes.length > this.roomBytes) {
      // As with a WebSocket: a frame of the protocol must not vanish unseen.
      this.close(closeCodes.slowConsumer);
      return false;
    }
    this.#put(bytes);
    return true;
  }

  #put(bytes: Buffer): void {
    this.#options.counts.bytesOut += bytes.length;
    if (this.#underwayBytes > 0) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
    } else this.#write(bytes);
    if (this.bufferedBytes > this.#options.highWatermarkBytes) this.slowSinceMs ??= this.#options.now();
  }

  #write(bytes: Buffer): void {
    if (!this.#options.stream.write(bytes)) this.#underwayBytes = bytes.length;
  }

  #portion(): Buffer {
    const portion: Buffer[] = [];
    let bytes = 0;
    while (bytes < portionBytes) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      portion.push(next);
      bytes += next.length;
    }
    this.#waitingBytes -= bytes;
    return Buffer.concat(portion);
  }

  /** `told`: to its owner. */
  #end(code: number, told: number | undefined): void {
    if (!this.isOpen) return;
    this.closeCode = code;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#underwayBytes = 0;
    for (const topic of this.#topics) this.#options.topics.delete(topic, this);
    this.#topics.clear();
    this.#options.onGone(this, code, told === undefined);
    this.owner?.onClose(told);
    this.owner = undefined;
  }
}
