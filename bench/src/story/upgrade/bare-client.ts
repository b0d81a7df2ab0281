import { setTimeout as sleep } from 'node:timers/promises';
import type { Counts } from '../../fleet/counts.js';
import { placement } from '../../fleet/light-client.js';
import type { NumberedEvent } from '../../fleet/messages.js';
import { SequenceRecord } from '../../fleet/sequence-record.js';
import { ThinSocket } from '../../fleet/thin-socket.js';
import type { RecordedClient } from './group.js';

/** As the protocol says: come back through the gateway. */
const comeBack: ReadonlySet<number> = new Set([1012, 4000]);
const incidentsKept = 5;
const againMs = 250;

/** A WebSocket without the subprotocol, which knows nothing of frames: told to move, it comes back through the gateway. */
export class BareClient implements RecordedClient {
  readonly record = new SequenceRecord();
  readonly gaps: Readonly<Counts> = {};
  readonly topicGaps: Readonly<Counts> = {};
  readonly incidents: string[] = [];
  changes = 0;
  misrouted = 0;
  disconnects = 0;
  isConnected = false;
  readonly #gatewayUrl: string;
  readonly #user: string;
  readonly #n: number;
  #session = '';
  #node = '';
  #socket: ThinSocket | undefined;
  #isStopping = false;

  constructor(gatewayUrl: string, user: string, n: number) {
    this.#gatewayUrl = gatewayUrl;
    this.#user = user;
    this.#n = n;
  }

  /** Resolves when the socket is open; the session may not be attached yet, which bare clients are not told. */
  async connect(): Promise<this> {
    const back = this.#session === '' ? '' : `&session=${this.#session}&from=${this.#node}`;
    const place = await placement(`${this.#gatewayUrl}/gateway?user=${this.#user}${back}`);
    await new Promise<void>((resolve, reject) => {
      const socket = new ThinSocket(`${place.url}?ticket=${place.ticket}`, []);
      this.#socket = socket;
      socket.onopen = () => {
        if (this.#node !== '' && this.#node !== place.node) this.changes++;
        this.#session = place.session;
        this.#node = place.node;
        this.isConnected = true;
        resolve();
      };
      socket.onmessage = ({ data }) => this.#event(data);
      socket.onclose = ({ code, reason }) => {
        if (!this.isConnected) return reject(new Error(`closed with ${code} ${reason} before it was open`));
        this.isConnected = false;
        if (this.#isStopping) return;
        if (!comeBack.has(code)) {
          this.disconnects++;
          this.#incident(`closed with ${code} ${reason}`);
        }
        void this.#return();
      };
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#socket?.close(1000);
  }

  async #return(): Promise<void> {
    while (!this.#isStopping && !this.isConnected) {
      await this.connect().catch((error: unknown) => this.#incident(String(error)));
      if (!this.isConnected) await sleep(againMs);
    }
  }

  #event(text: string): void {
    const { n, k } = JSON.parse(text) as NumberedEvent;
    if (n === this.#n) this.record.note(k);
    else this.misrouted++;
  }

  #incident(what: string): void {
    if (this.incidents.length < incidentsKept) this.incidents.push(`${this.#user}: ${what}`);
  }
}
