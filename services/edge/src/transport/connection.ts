import type { CloseCode } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';

/** One accepted connection as the rest of the edge sees it; no other folder knows uWebSockets.js. */
export interface Connection {
  readonly claims: TicketClaims;
  /** No subprotocol: raw bodies out, nothing in. */
  readonly isBare: boolean;
  readonly openedAtMs: number;
  readonly isOpen: boolean;
  /** Bytes accepted and not yet taken by the network. */
  readonly bufferedBytes: number;
  /** Since when it has been over the high watermark, ms; undefined when it is not. */
  slowSinceMs: number | undefined;
  /** Topics of which messages were dropped for this connection. */
  hasDropped: boolean;
  /** Whoever handles this socket's frames; set by the session layer. */
  owner: ConnectionOwner | undefined;
  /** Sends text; false when the socket is gone (or was closed for being too far behind). */
  send(text: string): boolean;
  sendBinary(bytes: Buffer): boolean;
  close(why: CloseCode): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
}

/** What a socket tells its owner. */
export interface ConnectionOwner {
  onFrame(text: string): void;
  /** The network has taken what was buffered, at least down to the high watermark. */
  onDrain(): void;
  onClose(): void;
}

/** What the server asks of the edge around it. */
export interface Admission {
  /** May a client come in now? Else the upgrade is answered 503. */
  readonly isOpen: boolean;
  /** First and last word on a new connection. */
  onOpen(connection: Connection): void;
}
