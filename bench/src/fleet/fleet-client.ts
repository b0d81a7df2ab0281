import { type Client, connect, type Status, type WebSocketClass } from '@evenkeel/client';
import { clock } from './clock.js';
import type { Delays } from './delays.js';
import type { FleetMember, Incident, NumberedEvent } from './messages.js';
import { SequenceRecord } from './sequence-record.js';
import { ThinSocket } from './thin-socket.js';

/** What all clients of a worker count together. */
export interface Tally {
  misrouted: number;
  disconnects: number;
  closed: number;
  readonly connectFailures: Record<string, number>;
  readonly gaps: Record<string, number>;
  readonly movesFailed: Record<string, number>;
  readonly dials: Record<string, Record<number, number>>;
  readonly eventsPerNode: Record<string, number>;
  readonly delays: Delays;
  readonly delaysInMoves: Delays;
  readonly moveTimes: Delays;
  readonly connectTimes: Delays;
  readonly incidents: Incident[];
}

const incidentsKept = 100;
/** How long after a move an event still counts as touched by it. */
const moveShadowMs = 1_000;

/** Notes every dial. */
export function notingSocket(dials: Tally['dials']): WebSocketClass {
  return class extends ThinSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      const { host } = new URL(url);
      dials[host] ??= {};
      addOne(dials[host], Math.floor(clock() / 1_000));
    }
  };
}

export interface FleetClientOptions {
  readonly gatewayUrl: string;
  readonly WebSocket: WebSocketClass;
  readonly beforeMoveMs: number;
}

/** One SDK client, and what its application got. */
export class FleetClient {
  readonly user: string;
  readonly record = new SequenceRecord();
  moves = 0;
  /** Times that it came back, after a loss, on another node. */
  returns = 0;
  readonly client: Client;
  readonly #n: number;
  readonly #tally: Tally;
  readonly #begunAtMs = clock();
  #isNew = true;
  #node = '';
  #movingSinceMs = 0;
  #inShadowUntilMs = 0;

  constructor({ n, user }: FleetMember, options: FleetClientOptions, tally: Tally) {
    this.user = user;
    this.#n = n;
    this.#tally = tally;
    const { gatewayUrl, WebSocket, beforeMoveMs } = options;
    this.client = connect({
      gateway: gatewayUrl,
      user,
      WebSocket,
      storage: false,
      ...(beforeMoveMs > 0 && {
        beforeMove: () => new Promise<void>((resolve) => setTimeout(resolve, beforeMoveMs)),
      }),
    });
    this.client.onEvent((event) => this.#event(event.data as NumberedEvent));
    this.client.onStatus((status) => this.#status(status));
  }

  incident(what: string): void {
    const { incidents } = this.#tally;
    if (incidents.length >= incidentsKept) return;
    incidents.push({ atMs: clock(), user: this.user, node: this.client.node ?? '', what });
  }

  #event({ n, k, at }: NumberedEvent): void {
    const tally = this.#tally;
    if (n !== this.#n) {
      tally.misrouted++;
      this.incident(`got event ${k} of client ${n}`);
      return;
    }
    const nowMs = clock();
    addOne(tally.eventsPerNode, this.client.node ?? '');
    const outcome = this.record.note(k);
    if (outcome !== 'in-order') this.incident(`event ${k} ${outcome}`);
    tally.delays.add(nowMs - at);
    if (this.#movingSinceMs > 0 || nowMs < this.#inShadowUntilMs) tally.delaysInMoves.add(nowMs - at);
  }

  #status(status: Status): void {
    const tally = this.#tally;
    switch (status.type) {
      case 'connected': {
        if (this.#isNew) tally.connectTimes.add(clock() - this.#begunAtMs);
        else if (status.node !== this.#node) this.returns++;
        this.#isNew = false;
        this.#node = status.node;
        break;
      }
      case 'connect-failed':
        addOne(tally.connectFailures, String(status.code));
        break;
      case 'disconnected':
        tally.disconnects++;
        this.#movingSinceMs = 0;
        this.incident(`disconnected: ${status.code} ${status.reason}`);
        break;
      case 'moving':
        this.#movingSinceMs = clock();
        break;
      case 'moved':
        this.moves++;
        this.#node = status.node;
        tally.moveTimes.add(clock() - this.#movingSinceMs);
        this.#movingSinceMs = 0;
        this.#inShadowUntilMs = clock() + moveShadowMs;
        break;
      case 'move-failed':
        this.#movingSinceMs = 0;
        addOne(tally.movesFailed, status.reason);
        break;
      case 'gap':
        addOne(tally.gaps, status.reason);
        this.incident(`gap: ${status.reason}`);
        break;
      case 'closed':
        if (status.error === undefined) break;
        tally.closed++;
        this.incident(`closed: ${status.error.message}`);
        break;
    }
  }
}

function addOne(counts: Record<string | number, number>, key: string | number): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
