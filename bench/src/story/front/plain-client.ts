import { addOne, type Counts } from '../../fleet/counts.js';
import { SequenceRecord } from '../../fleet/sequence-record.js';
import { ThinSocket } from '../../fleet/thin-socket.js';

const backOffMs = 1_000;

/** A client as people have it: dials again, after up to a second, when its socket is gone. */
export class PlainClient {
  readonly record = new SequenceRecord();
  readonly closes: Counts = {};
  disconnects = 0;
  isConnected = false;
  /** From its beginning to its first socket, ms. */
  connectMs: number | undefined;
  readonly #urlOf: () => string;
  readonly #address: string;
  readonly #random: () => number;
  readonly #begunAtMs = performance.now();
  #socket: ThinSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(urlOf: () => string, address: string, random: () => number) {
    this.#urlOf = urlOf;
    this.#address = address;
    this.#random = random;
    this.#dial();
  }

  stop(): void {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #dial(): void {
    const socket = new ThinSocket(this.#urlOf(), [], this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      this.isConnected = true;
      this.connectMs ??= performance.now() - this.#begunAtMs;
    };
    socket.onmessage = ({ data }) => void this.record.note((JSON.parse(data) as { k: number }).k);
    socket.onclose = ({ code }) => {
      if (this.#isStopping) return;
      if (this.isConnected) {
        this.disconnects++;
        addOne(this.closes, code);
      }
      this.isConnected = false;
      this.#timer = setTimeout(() => this.#dial(), this.#random() * backOffMs);
    };
  }
}
