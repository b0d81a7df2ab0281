import uWS from 'uWebSockets.js';
import type { CloseCode } from '@evenkeel/protocol';
import { closeCodes, subprotocol } from '@evenkeel/protocol';
import type { TicketClaims, TicketOffice } from '@evenkeel/ticket';
import type { Admission, Connection, ConnectionOwner } from '../connection.js';
import { UsedTickets } from '../used-tickets.js';

/** A frame over the payload limit gets a close code; over this it is cut off unread. */
const hardPayloadBytes = 1_048_576;

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`; the types of uWebSockets.js know host and options one by one, its code both. */
const exclusivePort = 1;
interface ExclusiveListen {
  listen(
    host: string,
    port: number,
    options: number,
    done: (listener: uWS.us_listen_socket | false) => void,
  ): void;
}

export interface UwsTransportOptions {
  node: string;
  host: string;
  port: number;
  heartbeatMs: number;
  maxPayloadBytes: number;
  highWatermarkBytes: number;
  maxBufferedBytes: number;
  now: () => number;
}

/** uWebSockets.js copies it field by field, slowly: one field. */
interface UserData {
  accepted: Accepted;
}

interface Accepted {
  readonly claims: TicketClaims;
  readonly isBare: boolean;
  connection: UwsConnection | undefined;
}

/** Counts since the start; read by statistics. */
export interface ConnectionCounts {
  open: number;
  handshakes: number;
  refusedTickets: number;
  refusedFull: number;
  framesIn: number;
  bytesOut: number;
}

/** Ends WebSockets: checks the ticket in the upgrade, hands accepted sockets on, fans topics out. */
export class UwsTransport {
  readonly counts: ConnectionCounts = {
    open: 0,
    handshakes: 0,
    refusedTickets: 0,
    refusedFull: 0,
    framesIn: 0,
    bytesOut: 0,
  };
  readonly #app: uWS.TemplatedApp;
  readonly #options: UwsTransportOptions;
  readonly #office: TicketOffice;
  readonly #admission: Admission;
  readonly #used = new UsedTickets();
  #listener: uWS.us_listen_socket | undefined;

  constructor(options: UwsTransportOptions, office: TicketOffice, admission: Admission) {
    this.#options = options;
    this.#office = office;
    this.#admission = admission;
    this.#app = uWS.App();
    this.#app.ws<UserData>('/*', {
      maxPayloadLength: hardPayloadBytes,
      maxBackpressure: options.maxBufferedBytes,
      // uWebSockets.js pings by itself before this runs out, which keeps bare clients alive too. Range 8 to 960 s.
      idleTimeout: Math.min(960, Math.max(8, Math.ceil((options.heartbeatMs * 2.5) / 1000))),
      sendPingsAutomatically: true,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (ws) => this.#open(ws),
      message: (ws, message, isBinary) => this.#message(ws, message, isBinary),
      drain: (ws) => ws.getUserData().accepted.connection?.drained(),
      dropped: (ws) => ws.getUserData().accepted.connection?.dropped(),
      close: (ws) => this.#close(ws),
    });
    this.#app.any('/*', (res) => {
      answer(
        res,
        '404 Not Found',
        'not-found',
        'dial the url that GET /gateway gave, with its ticket, as a WebSocket',
      );
    });
  }

  /** Listens; answers the port. @throws Error when the port is taken. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    return await new Promise((resolve, reject) => {
      // Exclusive: otherwise two edges share a port without noticing (SO_REUSEPORT).
      (this.#app as unknown as ExclusiveListen).listen(host, port, exclusivePort, (listener) => {
        if (!listener) {
          reject(
            new Error(`cannot listen on ${host}:${port}: the port is taken; set EVENKEEL_PORT to another`),
          );
          return;
        }
        this.#listener = listener;
        resolve(uWS.us_socket_local_port(listener));
      });
    });
  }

  /** Sends `frame` to every local subscriber of `topic`. */
  publish(topic: string, frame: string): void {
    const bytes = utf8(frame);
    this.counts.bytesOut += bytes.length * this.#app.numSubscribers(topic);
    this.#app.publish(topic, bytes, false);
  }

  /** Stops listening and drops what is still open. */
  close(): void {
    if (this.#listener) uWS.us_listen_socket_close(this.#listener);
    this.#listener = undefined;
    this.#app.close();
  }

  #upgrade(res: uWS.HttpResponse, req: uWS.HttpRequest, context: uWS.us_socket_context_t): void {
    const now = this.#options.now();
    const protocols = req.getHeader('sec-websocket-protocol');
    const offersOurs = protocols.split(',').some((p) => p.trim() === subprotocol);
    const verdict = this.#office.check(req.getQuery('ticket') ?? '', this.#options.node, now);
    if (!verdict.ok) {
      this.counts.refusedTickets += 1;
      answer(res, '401 Unauthorized', `ticket-${verdict.problem}`, 'ask GET /gateway for a new ticket');
      return;
    }
    if (!this.#admission.isOpen) {
      this.counts.refusedFull += 1;
      answer(res, '503 Service Unavailable', 'unavailable', 'ask GET /gateway for another node');
      return;
    }
    if (!this.#used.use(verdict.claims.id, verdict.claims.expiresAt, now)) {
      this.counts.refusedTickets += 1;
      answer(
        res,
        '401 Unauthorized',
        'ticket-used',
        'a ticket is good for one connection; ask GET /gateway for a new one',
      );
      return;
    }
    res.upgrade<UserData>(
      { accepted: { claims: verdict.claims, isBare: !offersOurs, connection: undefined } },
      req.getHeader('sec-websocket-key'),
      offersOurs ? subprotocol : '',
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #open(ws: uWS.WebSocket<UserData>): void {
    const { accepted } = ws.getUserData();
    const connection = new UwsConnection(ws, accepted, this.#options, this.counts);
    accepted.connection = connection;
    this.counts.open += 1;
    this.counts.handshakes += 1;
    this.#admission.onOpen(connection);
  }

  #message(ws: uWS.WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void {
    const connection = ws.getUserData().accepted.connection;
    if (!connection) return;
    this.counts.framesIn += 1;
    if (message.byteLength > this.#options.maxPayloadBytes) return connection.close(closeCodes.tooLarge);
    if (connection.isBare) return;
    if (isBinary) return connection.close(closeCodes.badFrame);
    connection.owner?.onFrame(Buffer.from(message).toString('utf8'));
  }

  #close(ws: uWS.WebSocket<UserData>): void {
    this.counts.open -= 1;
    ws.getUserData().accepted.connection?.gone();
  }
}

class UwsConnection implements Connection {
  readonly claims: TicketClaims;
  readonly isBare: boolean;
  readonly openedAtMs: number;
  slowSinceMs: number | undefined;
  hasDropped = false;
  owner: ConnectionOwner | undefined;
  #ws: uWS.WebSocket<UserData> | undefined;
  readonly #options: UwsTransportOptions;
  readonly #counts: ConnectionCounts;

  constructor(
    ws: uWS.WebSocket<UserData>,
    accepted: Accepted,
    options: UwsTransportOptions,
    counts: ConnectionCounts,
  ) {
    this.#ws = ws;
    this.claims = accepted.claims;
    this.isBare = accepted.isBare;
    this.#options = options;
    this.#counts = counts;
    this.openedAtMs = options.now();
  }

  get isOpen(): boolean {
    return this.#ws !== undefined;
  }

  get bufferedBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  send(text: string): boolean {
    const bytes = utf8(text);
    return this.#sent(this.#ws?.send(bytes, false), bytes.length);
  }

  sendBinary(bytes: Buffer): boolean {
    return this.#sent(this.#ws?.send(bytes, true), bytes.length);
  }

  #sent(result: number | undefined, bytes: number): boolean {
    if (result === undefined) return false;
    if (result === 2) {
      // Past the backpressure limit uWebSockets.js drops; a frame of the protocol must not vanish unseen.
      this.close(closeCodes.slowConsumer);
      return false;
    }
    this.#counts.bytesOut += bytes;
    if (
      result === 0 &&
      this.slowSinceMs === undefined &&
      this.bufferedBytes > this.#options.highWatermarkBytes
    ) {
      this.slowSinceMs = this.#options.now();
    }
    return true;
  }

  close(why: CloseCode): void {
    const ws = this.#ws;
    if (!ws) return;
    // A frozen peer never answers the close handshake; uWebSockets.js ends it after its own timeout.
    ws.end(why.code, why.reason);
  }

  subscribe(topic: string): void {
    this.#ws?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#ws?.unsubscribe(topic);
  }

  drained(): void {
    if (this.bufferedBytes > this.#options.highWatermarkBytes) return;
    this.slowSinceMs = undefined;
    this.owner?.onDrain();
  }

  dropped(): void {
    this.hasDropped = true;
    this.slowSinceMs ??= this.#options.now();
  }

  gone(): void {
    this.#ws = undefined;
    this.owner?.onClose();
    this.owner = undefined;
  }
}

/**
 * Text is handed over as bytes: on Node 24 this uWebSockets.js writes a string of Latin-1 characters as it lies in memory,
 * which is not UTF-8, and the client fails the connection.
 */
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

function answer(res: uWS.HttpResponse, status: string, code: string, message: string): void {
  res.cork(() => {
    res.writeStatus(status).writeHeader('content-type', 'application/json');
    res.end(JSON.stringify({ error: { code, message } }));
  });
}
