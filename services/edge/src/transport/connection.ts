import type { CloseCode } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { ClientText } from '../frame/client-text.js';
import type { Place } from '../frame/placed.js';

/**
 * One accepted connection, whatever carries it. The engine behind it:
 *
 * - MUST have checked the ticket that `claims` is from, and MUST NOT accept the same ticket twice;
 * - MUST send in the order of the calls, or not at all;
 * - MUST NOT call the owner after `onClose`, which it calls once, also when `close` was called here;
 * - MUST drop topic messages, and only those, for a peer that is too far behind, and remember that it did;
 * - MUST say `onDrain`, once it has dropped some, before it takes others.
 */
export interface Connection {
  readonly claims: TicketClaims;
  /** No subprotocol: raw bodies out, nothing in. */
  readonly isBare: boolean;
  /** Where its client is, as far as what is in front is trusted to say. */
  readonly address: string;
  readonly openedAtMs: number;
  readonly isOpen: boolean;
  /** With which it has closed, whoever closed it; undefined: it is open. */
  readonly closeCode: number | undefined;
  /** Bytes accepted and not yet taken by the network. */
  readonly bufferedBytes: number;
  /** What may be buffered besides before a frame is one too many. */
  readonly roomBytes: number;
  /** Since when it has been over the high watermark, ms; undefined when it is not. */
  readonly slowSinceMs: number | undefined;
  /** Whoever handles what the peer sends; set by who accepts the connection, before anything else. */
  owner: ConnectionOwner | undefined;
  /** Sends text; false when the connection is gone (or was closed for being too far behind). */
  send(text: string): boolean;
  sendBinary(bytes: Buffer): boolean;
  /** Sends the frame of a topic's message, or drops it for a peer that is too far behind. */
  sendMessage(frame: string): void;
  /** May call `onClose` before it returns. */
  close(why: Pick<CloseCode, 'code' | 'reason'>): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Whether topic messages were dropped for it since the last call. */
  takeDropped(): boolean;
}

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** `frame` is to be read before this returns. */
  onFrame(frame: ClientText): void;
  /** A ping or pong of WebSocket itself, or what a bare client says: it counts as a frame, and does nothing. */
  onIgnored(): void;
  /** A message with a position was dropped for it. True: the owner sees to it, and it does not count as dropped. */
  onDropped?(place: Place): boolean;
  /** The network has taken what was buffered, at least down to the high watermark; where messages were dropped, some of it. */
  onDrain(): void;
  /** `code`: with which the peer has closed it; undefined: it was closed here. */
  onClose(code: number | undefined): void;
}
