import type { WebSocketClass } from '@evenkeel/client';
import { clock } from './clock.js';
import { addOne } from './counts.js';
import type { Tally } from './tally.js';
import { ThinSocket } from './thin-socket.js';

/** What is seen of one client on the wire, below the SDK. */
export interface Wire {
  readonly tally: Tally;
  /** What it dials from; undefined: any address of this machine. */
  readonly address: string | undefined;
  readonly open: Set<SpySocket>;
  /** Highest number of an event seen on any socket. */
  highest: number;
  /** Since when there has been no open socket, ms; 0: there is one, or there never was. */
  socketlessSinceMs: number;
  /** The last ticket a move came with. */
  moveTicket: { url: string; ticket: string } | undefined;
}

export const newWire = (tally: Tally, address?: string): Wire => ({
  tally,
  address,
  open: new Set(),
  highest: 0,
  socketlessSinceMs: 0,
  moveTicket: undefined,
});

const eventHead = '{"t":"event"';
const moveHead = '{"t":"move"';
const numberMark = '"k":';

/** A socket that notes in a wire when there is an open one, and which events come. */
class SpySocket extends ThinSocket {
  readonly #wire: Wire;

  constructor(wire: Wire, address: string | URL, protocols?: string[]) {
    super(address, protocols, wire.address);
    this.#wire = wire;
    const { dials } = wire.tally;
    dials[this.host] ??= {};
    addOne(dials[this.host] ?? {}, Math.floor(clock() / 1_000));
  }

  override close(code?: number, reason?: string): void {
    this.seeClose();
    super.close(code, reason);
  }

  protected override seeOpen(): void {
    const wire = this.#wire;
    wire.open.add(this);
    if (wire.socketlessSinceMs === 0) return;
    const { tally } = wire;
    tally.socketlessMaxMs = Math.max(tally.socketlessMaxMs, clock() - wire.socketlessSinceMs);
    wire.socketlessSinceMs = 0;
  }

  protected override seeClose(): void {
    const wire = this.#wire;
    if (wire.open.delete(this) && wire.open.size === 0) wire.socketlessSinceMs = clock();
  }

  protected override seeMessage(text: string): void {
    const wire = this.#wire;
    if (text.startsWith(eventHead)) {
      const number = Number.parseInt(text.slice(text.indexOf(numberMark) + numberMark.length), 10);
      if (number <= wire.highest) wire.tally.repeatedOnWire += 1;
      else wire.highest = number;
    } else if (text.startsWith(moveHead)) {
      const { url, ticket } = JSON.parse(text) as { url: string; ticket: string };
      wire.moveTicket = { url, ticket };
    }
  }
}

/** What a client is given as its class of sockets, so that they note in `wire`. */
export function spyOn(wire: Wire): WebSocketClass {
  // One class for all: thousands, one each, would cost the engine more than the sockets do. A constructor may return
  // another object; it becomes the value of `new`.
  return function spied(address: string | URL, protocols?: string[]) {
    return new SpySocket(wire, address, protocols);
  } as unknown as WebSocketClass;
}
