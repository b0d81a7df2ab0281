import { setTimeout as sleep } from 'node:timers/promises';
import { addOne, type Counts } from '../../fleet/counts.js';
import { placement } from '../../fleet/light-client.js';
import type { NumberedEvent } from '../../fleet/messages.js';
import { ThinSocket } from '../../fleet/thin-socket.js';
import { RecordingClient } from './recording-client.js';

const wrongEdge = 4010;
/** As the protocol says: come back through the gateway. */
const comeBack: ReadonlySet<number> = new Set([1012, 4000, wrongEdge]);
const againMs = 250;

/** A WebSocket without the subprotocol, which knows nothing of frames: told to move, it comes back through the gateway. */
export class BareClient extends RecordingClient {
  /** How its sockets have ended, by close code. */
  readonly closes: Counts = {};
  /** From its beginning to its first socket, ms. */
  connectMs: number | undefined;
  readonly #gatewayUrl: string;
  readonly #user: string;
  readonly #address: string | undefined;
  readonly #begunAtMs = performance.now();
  #session = '';
  /** The node that has just failed. */
  #tried = '';
  #socket: ThinSocket | undefined;
  #isStopping = false;

  /** @param address of this machine, that it dials from; default: any. */
  constructor(gatewayUrl: string, user: string, n: number, address?: string) {
    super(user, n);
    this.#gatewayUrl = gatewayUrl;
    this.#user = user;
    this.#address = address;
  }

  /** Resolves when the socket is open; the session may not be attached yet, which bare clients are not told. */
  async connect(): Promise<this> {
    const back = this.#session === '' ? '' : `&session=${this.#session}&from=${this.node}`;
    const tried = this.#tried === '' ? '' : `&tried=${this.#tried}`;
    const place = await placement(`${this.#gatewayUrl}/gateway?user=${this.#user}${back}${tried}`);
    this.#tried = place.node;
    await new Promise<void>((resolve, reject) => {
      const socket = new ThinSocket(`${place.url}?ticket=${place.ticket}`, [], this.#address);
      this.#socket = socket;
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
        this.connectMs ??= performance.now() - this.#begunAtMs;
        this.#session = place.session;
        this.#tried = '';
        this.onNode(place.node);
        resolve();
      };
      socket.onmessage = ({ data }) => this.onEvent(JSON.parse(data) as NumberedEvent);
      socket.onclose = ({ code, reason }) => {
        if (!isOpen) return reject(new Error(`closed with ${code} ${reason} before it was open`));
        addOne(this.closes, code);
        if (code === wrongEdge) this.#tried = place.node;
        this.isConnected = false;
        if (this.#isStopping) return;
        if (!comeBack.has(code)) {
          this.disconnects++;
          this.onIncident(`closed with ${code} ${reason}`);
        }
        void this.keepConnected();
      };
    });
    return this;
  }

  /** Tries until it is connected. */
  async keepConnected(): Promise<void> {
    while (!this.#isStopping && !this.isConnected) {
      await this.connect().catch((error: unknown) => this.onIncident(String(error)));
      if (!this.isConnected) await sleep(againMs);
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#socket?.close(1000);
  }
}
