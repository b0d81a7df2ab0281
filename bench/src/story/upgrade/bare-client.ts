import { setTimeout as sleep } from 'node:timers/promises';
import { placement } from '../../fleet/light-client.js';
import type { NumberedEvent } from '../../fleet/messages.js';
import { ThinSocket } from '../../fleet/thin-socket.js';
import { RecordingClient } from './recording-client.js';

/** As the protocol says: come back through the gateway. */
const comeBack: ReadonlySet<number> = new Set([1012, 4000]);
const againMs = 250;

/** A WebSocket without the subprotocol, which knows nothing of frames: told to move, it comes back through the gateway. */
export class BareClient extends RecordingClient {
  readonly #gatewayUrl: string;
  readonly #user: string;
  #session = '';
  #socket: ThinSocket | undefined;
  #isStopping = false;

  constructor(gatewayUrl: string, user: string, n: number) {
    super(user, n);
    this.#gatewayUrl = gatewayUrl;
    this.#user = user;
  }

  /** Resolves when the socket is open; the session may not be attached yet, which bare clients are not told. */
  async connect(): Promise<this> {
    const back = this.#session === '' ? '' : `&session=${this.#session}&from=${this.node}`;
    const place = await placement(`${this.#gatewayUrl}/gateway?user=${this.#user}${back}`);
    await new Promise<void>((resolve, reject) => {
      const socket = new ThinSocket(`${place.url}?ticket=${place.ticket}`, []);
      this.#socket = socket;
      socket.onopen = () => {
        this.#session = place.session;
        this.onNode(place.node);
        resolve();
      };
      socket.onmessage = ({ data }) => this.onEvent(JSON.parse(data) as NumberedEvent);
      socket.onclose = ({ code, reason }) => {
        if (!this.isConnected) return reject(new Error(`closed with ${code} ${reason} before it was open`));
        this.isConnected = false;
        if (this.#isStopping) return;
        if (!comeBack.has(code)) {
          this.disconnects++;
          this.onIncident(`closed with ${code} ${reason}`);
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
      await this.connect().catch((error: unknown) => this.onIncident(String(error)));
      if (!this.isConnected) await sleep(againMs);
    }
  }
}
