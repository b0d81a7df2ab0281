import type { WebSocketClass } from '@evenkeel/client';
import { WebSocket } from 'ws';

/** What is seen of one client on the wire, below the SDK. */
export interface Wire {
  open: Set<SpySocket>;
  /** Highest number of an event seen on any socket. */
  highest: number;
  repeated: number;
  /** Since when there has been no open socket, ms; 0: there is one, or there never was. */
  socketlessSinceMs: number;
  socketlessMaxMs: number;
  /** The last ticket a move came with. */
  moveTicket: { url: string; ticket: string } | undefined;
}

export const newWire = (): Wire => ({
  open: new Set(),
  highest: 0,
  repeated: 0,
  socketlessSinceMs: 0,
  socketlessMaxMs: 0,
  moveTicket: undefined,
});

const eventHead = Buffer.from('{"t":"event"');
const moveHead = Buffer.from('{"t":"move"');
const numberMark = Buffer.from('"k":');

export type SpySocket = WebSocket;

/** A class of `ws` sockets that notes in `wire` when there is an open socket, and which events come. */
export function spyOn(wire: Wire, now: () => number): WebSocketClass {
  return class extends WebSocket {
    constructor(address: string | URL, protocols?: string[]) {
      super(address, protocols, { perMessageDeflate: false });
      this.on('open', () => {
        wire.open.add(this);
        if (wire.socketlessSinceMs > 0) {
          wire.socketlessMaxMs = Math.max(wire.socketlessMaxMs, now() - wire.socketlessSinceMs);
          wire.socketlessSinceMs = 0;
        }
      });
      this.on('close', () => ended(wire, this, now));
      this.on('message', (bytes: Buffer) => read(wire, bytes));
    }

    override close(code?: number, reason?: string | Buffer): void {
      ended(wire, this, now);
      super.close(code, reason);
    }
  };
}

function ended(wire: Wire, socket: SpySocket, now: () => number): void {
  if (wire.open.delete(socket) && wire.open.size === 0) wire.socketlessSinceMs = now();
}

function read(wire: Wire, bytes: Buffer): void {
  if (startsWith(bytes, eventHead)) {
    const at = bytes.indexOf(numberMark);
    const number = Number.parseInt(bytes.toString('latin1', at + 4, at + 16), 10);
    if (number <= wire.highest) wire.repeated += 1;
    else wire.highest = number;
  } else if (startsWith(bytes, moveHead)) {
    const { url, ticket } = JSON.parse(bytes.toString('utf8')) as { url: string; ticket: string };
    wire.moveTicket = { url, ticket };
  }
}

const startsWith = (bytes: Buffer, head: Buffer): boolean =>
  bytes.length >= head.length && bytes.compare(head, 0, head.length, 0, head.length) === 0;
