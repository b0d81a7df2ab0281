import type uWS from 'uWebSockets.js';
import type { ByteStream } from '../sse/connection.js';

/** The answer to one request, written piece by piece. */
export class HttpStream implements ByteStream {
  #res: uWS.HttpResponse | undefined;
  readonly #onOver: () => void;

  /** `onOver`: once, when it is the engine's to end, or has gone. */
  constructor(res: uWS.HttpResponse, onOver: () => void) {
    this.#res = res;
    this.#onOver = onOver;
  }

  write(bytes: Buffer): boolean {
    const res = this.#res;
    let isTaken = true;
    res?.cork(() => {
      isTaken = res.write(bytes);
    });
    return isTaken;
  }

  end(bytes: Buffer): void {
    const res = this.#res;
    this.gone();
    // Told to close the connection, the engine would write the header for that here, in the middle.
    res?.cork(() => res.end(bytes));
  }

  abort(): void {
    const res = this.#res;
    this.gone();
    res?.close();
  }

  /** The client has gone, or there is nothing more to be written. */
  gone(): void {
    if (this.#res === undefined) return;
    this.#res = undefined;
    this.#onOver();
  }
}
