import { type Client, connect, type Status, type WebSocketClass } from '@evenkeel/client';
import { Numbers } from './numbers.js';
import { Pulse } from './pulse.js';

export const pulseTopic = 'crowd.pulse';
export const numberedEvent = 'crowd.number';

/** What a numbered event, and a message of the topic, carries. */
export interface Numbered {
  readonly run: string;
  readonly number: number;
}

export interface MemberOptions {
  readonly user: string;
  readonly gateway: string;
  /** Names this start of the crowd: numbers of an earlier one are not ours. */
  readonly run: string;
  readonly WebSocket: WebSocketClass;
  readonly now: () => number;
}

/** One client of the crowd, and what reached its application. */
export class CrowdMember {
  readonly user: string;
  readonly numbers = new Numbers();
  readonly pulse = new Pulse();
  /** Events and messages that came. */
  events = 0;
  gaps = 0;
  moves = 0;
  readonly #client: Client;
  readonly #options: MemberOptions;
  #connectedSinceMs: number | undefined;
  #hasSession = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.user = options.user;
    const { gateway, user, WebSocket } = options;
    this.#client = connect({ gateway, user, WebSocket, storage: false, topics: [pulseTopic] });
    this.#client.on(numberedEvent, ({ data }) => this.#event(data as Numbered));
    this.#client.onMessage(({ data }) => this.#message(data as Numbered));
    this.#client.onStatus((status) => this.#status(status));
  }

  /** Where its socket is; undefined while it has none. */
  get node(): string | undefined {
    return this.#connectedSinceMs === undefined ? undefined : this.#client.node;
  }

  /** Whether it has ever been connected: before that nothing can be published to it. */
  get hasSession(): boolean {
    return this.#hasSession;
  }

  /** Events that it should have got, and has not. What is younger than `graceMs` may be on its way. */
  lost(nowMs: number, graceMs: number): number {
    const since = this.#connectedSinceMs;
    // What was published before it was connected again had its whole queue to come from.
    const isLongConnected = since !== undefined && nowMs - since > graceMs;
    return this.numbers.lost(isLongConnected ? nowMs - graceMs : undefined) + this.pulse.lost;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #event({ run, number }: Numbered): void {
    if (run !== this.#options.run) return;
    if (this.numbers.note(number) !== 'foreign') this.events++;
  }

  #message({ run, number }: Numbered): void {
    this.events++;
    this.pulse.note(run, number, this.#connectedSinceMs !== undefined);
  }

  #status(status: Status): void {
    switch (status.type) {
      case 'connected':
        this.#hasSession = true;
        this.#connectedSinceMs = this.#options.now();
        break;
      case 'moved':
        this.moves++;
        break;
      case 'gap':
        this.gaps++;
        if (status.topic !== undefined) this.pulse.gap();
        break;
      case 'disconnected':
      case 'closed':
        this.#connectedSinceMs = undefined;
        break;
    }
  }
}
