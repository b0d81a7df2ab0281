import type { CloseCode } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { ClientText } from '../src/frame/client-text.js';
import type { Connection, ConnectionOwner } from '../src/transport/connection.js';

/** A connection without a network; it closes within the call, as the engine's may. */
export class FakeConnection implements Connection {
  readonly claims: TicketClaims;
  isBare = false;
  address = '127.0.0.1';
  openedAtMs = 0;
  isOpen = true;
  bufferedBytes = 0;
  roomBytes = 1_000_000;
  slowSinceMs: number | undefined;
  closeCode: number | undefined;
  owner: ConnectionOwner | undefined;
  hasDropped = false;
  readonly sent: string[] = [];
  readonly bytes: Buffer[] = [];
  readonly topics = new Set<string>();
  closedWith: CloseCode | undefined;
  /** Buffered after each frame sent. */
  grows = 0;

  constructor(claims: Partial<TicketClaims> = {}) {
    this.claims = {
      id: 't',
      uid: 'alice',
      sid: 's',
      node: 'edge-1',
      epoch: 1,
      expiresAt: Number.MAX_SAFE_INTEGER,
      ...claims,
    };
  }

  send(text: string): boolean {
    if (!this.isOpen) return false;
    this.sent.push(text);
    this.bufferedBytes += this.grows;
    return true;
  }

  sendBinary(bytes: Buffer): boolean {
    if (this.isOpen) this.bytes.push(bytes);
    return this.isOpen;
  }

  close(why: CloseCode): void {
    if (!this.isOpen) return;
    this.closedWith = why;
    this.#gone(why.code, undefined);
  }

  /** The network takes it away, or the client with `code`. */
  lose(code?: number): void {
    if (this.isOpen) this.#gone(code, code);
  }

  #gone(closeCode: number | undefined, byPeer: number | undefined): void {
    this.isOpen = false;
    this.closeCode = closeCode;
    this.owner?.onClose(byPeer);
    this.owner = undefined;
  }

  sendMessage(frame: string): void {
    this.send(frame);
  }

  subscribe(topic: string): void {
    this.topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
  }

  takeDropped(): boolean {
    const { hasDropped } = this;
    this.hasDropped = false;
    return hasDropped;
  }

  // --- the client's side ---

  receive(frame: object): void {
    const text = JSON.stringify(frame);
    this.owner?.onFrame(new ClientText(text));
  }

  get frames(): Record<string, unknown>[] {
    return this.sent.map((text) => JSON.parse(text));
  }

  of(kind: string): Record<string, unknown>[] {
    return this.frames.filter(({ t }) => t === kind);
  }

  get kinds(): unknown[] {
    return this.frames.map(({ t }) => t);
  }

  get data(): unknown[] {
    return this.frames.map(({ data }) => data);
  }
}
