import uWS from 'uWebSockets.js';
import { connect } from 'node:net';

/**
 * Runs functions inside a callback of uWebSockets.js, which is where it wants a WebSocket to be opened. Outside of one, the
 * choice is between a warning on standard error for each, and `cork`: but where the WebSocket takes the place of its request
 * in memory, the end of `cork` goes on to treat it as a request, and closes some. The engine calls back when somebody connects
 * to it; so this connects, to a port of its own on loopback.
 */
export class EngineTurn {
  #due: (() => void)[] = [];
  #isComing = false;
  #app: uWS.TemplatedApp | undefined;
  #port: number | undefined;

  listen(): void {
    this.#app = uWS
      .App()
      .filter(() => this.#run())
      .listen('127.0.0.1', 0, (listener) => {
        if (listener) this.#port = uWS.us_socket_local_port(listener);
      });
  }

  /** Runs `fn` at the engine's next turn. */
  next(fn: () => void): void {
    this.#due.push(fn);
    if (this.#isComing) return;
    if (this.#port === undefined) return this.#run();
    this.#isComing = true;
    const caller = connect(this.#port, '127.0.0.1', () => caller.destroy());
    // Rather with a warning than not at all.
    caller.on('error', () => this.#run());
  }

  close(): void {
    this.#port = undefined;
    this.#app?.close();
  }

  #run(): void {
    this.#isComing = false;
    const due = this.#due;
    this.#due = [];
    for (const fn of due) fn();
  }
}
