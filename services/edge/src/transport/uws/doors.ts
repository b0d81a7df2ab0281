import uWS from 'uWebSockets.js';
import { bareHost, type Certificate } from '@evenkeel/runtime';
import { handsOver, isQueueEmpty } from './accept-queue.js';

/** `LIBUS_LISTEN_DEFAULT` has `SO_REUSEPORT`, where the port is not 0; `LIBUS_LISTEN_EXCLUSIVE_PORT` has not. */
const listening = { shared: 0, exclusive: 1 } as const;
declare module 'uWebSockets.js' {
  interface TemplatedApp {
    /** Its own types know host and options one by one; its code takes both. */
    listen(
      host: string,
      port: number,
      options: number,
      done: (listener: us_listen_socket | false) => void,
    ): TemplatedApp;
  }
}

/** How often it is looked whether the old door can be closed, ms. */
const lookEveryMs = 20;
/** Nobody came for so long: nobody is coming this instant, ms. */
const lullMs = 100;
/** A door at which there is no lull is closed between two who come, ms. */
const patienceMs = 2_000;
/** And whatever is in its queue, ms. */
const longestMs = 10_000;
/** Who has come and has no WebSocket after this long gets none, ms. */
const requestMs = 60_000;

/** One app of uWebSockets.js, where clients come in. */
export interface Door {
  readonly app: uWS.TemplatedApp;
  /** WebSockets that came in by it and are open. */
  open: number;
}

interface OpenDoor extends Door {
  listener: uWS.us_listen_socket | undefined;
  /** When somebody last came, by the clock of `performance`. */
  cameAtMs: number;
}

export interface DoorsOptions {
  readonly host: string;
  readonly port: number;
  /** With it clients are served by TLS. */
  readonly certificate: Certificate | undefined;
  /** Gives an app its routes. */
  readonly furnish: (door: Door) => void;
  /** Nobody is shown any more what an earlier certificate was. */
  readonly onExchanged: () => void;
}

/**
 * Where clients come in: one door, or several while a certificate is being replaced. uWebSockets.js cannot exchange that of an app
 * (`addServerName` is for who says a name, and `removeServerName` frees what a request of the name before still uses). So a
 * second app with the new one listens on the same port, and the first one ceases to; whoever came in by it stays.
 */
export class Doors {
  readonly #options: DoorsOptions;
  /** The newest first. */
  readonly #doors: OpenDoor[] = [];
  readonly #closing = new Set<NodeJS.Timeout>();
  #port = 0;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  /** @returns the port. @throws Error when it is taken, or the certificate cannot be used. */
  listen(): number {
    const { port, certificate } = this.#options;
    this.#port = port;
    if (certificate === undefined) {
      // Exclusively: two edges would share a port without noticing.
      this.#open(undefined, listening.exclusive);
      return this.#port;
    }
    const probe = this.#listen(uWS.App(), listening.exclusive);
    uWS.us_listen_socket_close(probe);
    this.#open(certificate, listening.shared);
    return this.#port;
  }

  /** Whoever comes from now on is shown `certificate`, at the latest in ten seconds. @throws Error when it cannot be used. */
  exchange(certificate: Certificate): void {
    this.#forgetEmpty();
    const before = this.#doors.filter(({ listener }) => listener !== undefined);
    this.#open(certificate, listening.shared);
    for (const door of before) this.#closeSoon(door);
  }

  /** How many here have subscribed `topic`. */
  numSubscribers(topic: string): number {
    let sum = 0;
    for (const { app } of this.#doors) sum += app.numSubscribers(topic);
    return sum;
  }

  publish(topic: string, bytes: Uint8Array): void {
    for (const { app } of this.#doors) app.publish(topic, bytes, false);
  }

  /** Stops listening and drops what is still open. */
  close(): void {
    for (const timer of this.#closing) clearInterval(timer);
    for (const door of this.#doors.splice(0)) {
      stopListening(door);
      door.app.close();
    }
  }

  #open(certificate: Certificate | undefined, options: number): void {
    const app =
      certificate === undefined
        ? uWS.App()
        : uWS.SSLApp({ cert_file_name: certificate.certFile, key_file_name: certificate.keyFile });
    const door: OpenDoor = { app, open: 0, listener: undefined, cameAtMs: performance.now() };
    if (certificate !== undefined) {
      const look = (_: uWS.HttpResponse, count: unknown) => {
        if (Number(count) > 0) door.cameAtMs = performance.now();
      };
      app.filter(look);
    }
    this.#options.furnish(door);
    door.listener = this.#listen(app, options);
    this.#doors.unshift(door);
  }

  #listen(app: uWS.TemplatedApp, options: number): uWS.us_listen_socket {
    const { host } = this.#options;
    let got: uWS.us_listen_socket | false = false;
    app.listen(bareHost(host), this.#port, options, (listener) => {
      got = listener;
    });
    if (!got) {
      app.close();
      const port = this.#port;
      throw new Error(`cannot listen on ${host}:${port}: the port is taken; set EVENKEEL_PORT to another`);
    }
    this.#port = uWS.us_socket_local_port(got);
    return got;
  }

  /**
   * Connections that have come to a listening socket and are not accepted yet end with it, unless the system hands them over
   * (`net.ipv4.tcp_migrate_req`). So it is closed in a lull, or else when its queue is seen to be empty.
   */
  #closeSoon(door: OpenDoor): void {
    const sinceMs = performance.now();
    const look = () => {
      const nowMs = performance.now();
      const waitedMs = nowMs - sinceMs;
      const isCalm = nowMs - door.cameAtMs > lullMs || waitedMs > patienceMs;
      if (!handsOver() && waitedMs < longestMs && !(isCalm && isQueueEmpty(this.#port))) return;
      stopListening(door);
      clearInterval(timer);
      this.#closing.delete(timer);
      if (this.#closing.size === 0) this.#options.onExchanged();
    };
    // Behind the loop's turn, in which everything that had come was accepted.
    const timer = setInterval(() => setImmediate(look), lookEveryMs);
    this.#closing.add(timer);
  }

  /** Those that nobody can come in by any more, and by whom nobody is here. */
  #forgetEmpty(): void {
    const nowMs = performance.now();
    for (const door of [...this.#doors]) {
      if (door.listener !== undefined || door.open > 0 || nowMs - door.cameAtMs < requestMs) continue;
      this.#doors.splice(this.#doors.indexOf(door), 1);
      door.app.close();
    }
  }
}

function stopListening(door: OpenDoor): void {
  if (door.listener) uWS.us_listen_socket_close(door.listener);
  door.listener = undefined;
}
