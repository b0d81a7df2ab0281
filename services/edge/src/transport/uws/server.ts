import type uWS from 'uWebSockets.js';
import { closeCodes, subprotocol } from '@evenkeel/protocol';
import type { Certificate, Origins } from '@evenkeel/runtime';
import type { TicketClaims } from '@evenkeel/ticket';
import { ClientText } from '../../frame/client-text.js';
import type { Connection } from '../connection.js';
import { type ConnectionCounts, closeLabel, countRefused, noCounts } from '../counts.js';
import type { Claimer, Dismissed, Foreign, Gate, Refused, Verdict } from '../gate.js';
import { isLongHello } from '../payload.js';
import type { PendingConnections } from '../pending.js';
import type { RefusalLog } from '../refusal-log.js';
import { SseStreams } from '../sse/streams.js';
import { addressOf, socketAddress } from './address.js';
import { answer, answerRefused, hasTwoLengths, status } from './answer.js';
import { type UserData, UwsConnection, type UwsConnectionOptions } from './connection.js';
import { type Door, Doors } from './doors.js';
import { EngineTurn } from './engine-turn.js';
import { SseRoutes } from './sse-routes.js';
import { utf8 } from './text.js';

/**
 * A frame over the payload limit gets a close code; over so many times that it is cut off unread, and no more of one that is not
 * finished is kept: uWebSockets.js does not tell of that one, so that it has a length and no time.
 */
const hardPayloads = 2;

/** What an upgrade needs of its request. */
interface Handshake {
  readonly address: () => string;
  readonly key: string;
  readonly extensions: string;
  readonly context: uWS.us_socket_context_t;
}

export interface UwsTransportOptions {
  node: string;
  host: string;
  port: number;
  heartbeatMs: number;
  maxPayloadBytes: number;
  highWatermarkBytes: number;
  maxBufferedBytes: number;
  maxEventBytes: number;
  /** Which pages may connect. */
  origins: Origins;
  /** Proxies in front whose word on a client's address counts. */
  trustedHops: number;
  now: () => number;
  /** Whether clients may be sent here, for `/readyz`. */
  isReady: () => boolean;
  /** Called once all newcomers are shown the certificate that was given last. */
  onExchanged: () => void;
  /** Says whom it turns away. */
  refusals: Pick<RefusalLog, 'refused' | 'closed'>;
}

/** Terminates WebSockets and streams: lets in whom the gate admits, and fans topics out. Opens nothing before `listen`. */
export class UwsTransport {
  readonly counts: ConnectionCounts = noCounts();
  readonly #options: UwsTransportOptions;
  readonly #limits: UwsConnectionOptions;
  readonly #gate: Gate;
  readonly #claimer: Claimer;
  readonly #pending: PendingConnections;
  readonly #turn = new EngineTurn();
  readonly #streams: SseStreams;
  readonly #sse: SseRoutes;
  #doors: Doors | undefined;
  #accept: (connection: Connection) => void = () => {};

  constructor(options: UwsTransportOptions, gate: Gate, claimer: Claimer, pending: PendingConnections) {
    this.#options = options;
    this.#limits = { ...options, maxBufferedBytes: mostBuffered(options) };
    this.#gate = gate;
    this.#claimer = claimer;
    this.#pending = pending;
    this.#streams = new SseStreams({
      ...options,
      counts: this.counts,
      maxBufferedBytes: this.#limits.maxBufferedBytes,
      onGone: ({ claims }, code, isFromHere) => this.#gone(claims, code, isFromHere),
    });
    this.#sse = new SseRoutes({
      ...options,
      gate,
      claimer,
      pending,
      streams: this.#streams,
      counts: this.counts,
      turn: this.#turn,
      onRefused: (refused) => this.#noteRefused(refused),
      accept: (connection) => this.#admitted(connection),
    });
  }

  /**
   * Listens, by TLS with a certificate, and hands over each connection as it opens.
   * @returns the port. @throws Error when it is taken, or the certificate cannot be used.
   */
  listen(accept: (connection: Connection) => void, certificate?: Certificate): number {
    this.#accept = accept;
    this.#turn.listen();
    this.#streams.start();
    const { host, port, onExchanged } = this.#options;
    const furnish = (door: Door) => this.#furnish(door);
    this.#doors = new Doors({ host, port, certificate, furnish, onExchanged });
    return this.#doors.listen();
  }

  /** Newcomers are shown this one from now on; who is connected stays. @throws Error when it cannot be used. */
  exchange(certificate: Certificate): void {
    this.#doors?.exchange(certificate);
  }

  /** Sends `frame` to every local subscriber of `topic`. */
  publish(topic: string, frame: string): void {
    if (!this.#doors) return;
    if (this.#streams.size > 0) this.counts.topicFrames += this.#streams.publish(topic, frame);
    const bytes = utf8(frame);
    const subscribers = this.#doors.numSubscribers(topic);
    this.counts.bytesOut += bytes.length * subscribers;
    this.counts.topicFrames += subscribers;
    this.#doors.publish(topic, bytes);
  }

  /** Stops listening and drops what is still open. */
  close(): void {
    this.#streams.stop();
    this.#doors?.close();
    this.#turn.close();
  }

  #furnish(door: Door): void {
    const { heartbeatMs, maxPayloadBytes, isReady } = this.#options;
    const healthz = this.#plain((res) => status(res, true));
    const readyz = this.#plain((res) => status(res, isReady()));
    door.app
      .filter((res, change) => this.#counted(res, Number(change)))
      .ws<UserData>('/*', {
        maxPayloadLength: hardPayloads * maxPayloadBytes,
        maxBackpressure: this.#limits.maxBufferedBytes,
        // uWebSockets.js pings by itself before this runs out, which keeps bare clients alive too. Range 8 to 960 s.
        idleTimeout: Math.min(960, Math.max(8, Math.ceil((heartbeatMs * 2.5) / 1000))),
        sendPingsAutomatically: true,
        upgrade: (res, req, context) => this.#upgrade(res, req, context),
        open: (ws) => {
          door.open += 1;
          this.#open(ws);
        },
        message: (ws, message, isBinary) => this.#message(ws, message, isBinary),
        ping: (ws) => ws.getUserData().accepted.connection?.owner?.onIgnored(),
        pong: (ws) => ws.getUserData().accepted.connection?.owner?.onIgnored(),
        drain: (ws) => ws.getUserData().accepted.connection?.drained(),
        dropped: (ws, message) => ws.getUserData().accepted.connection?.dropped(message),
        close: (ws, code) => {
          door.open -= 1;
          this.#close(ws, code);
        },
      })
      .get('/healthz', healthz)
      .head('/healthz', healthz)
      .get('/readyz', readyz)
      .head('/readyz', readyz)
      .get('/*', (res, req) => this.#sse.get(res, req, door))
      .post('/*', (res, req) => this.#sse.post(res, req))
      .options('/*', (res, req) => this.#sse.options(res, req))
      .any(
        '/*',
        this.#plain((res) => {
          const hint = 'ask the gateway, and dial the url that it gives, with its ticket, as a WebSocket';
          answer(res, '404 Not Found', 'not-found', `this is an edge, not the gateway: ${hint}`);
        }),
      );
  }

  /** For each connection, before it has sent a byte, and as it goes; not as it becomes a WebSocket. */
  #counted(res: uWS.HttpResponse, change: number): void {
    if (change < 0) this.#pending.settled();
    else if (!this.#pending.opened(socketAddress(res), this.#options.now())) {
      this.#options.refusals.refused('pending');
      res.close();
    }
  }

  /** A request that is answered at once, by its connection's last answer. */
  #plain(respond: (res: uWS.HttpResponse) => void) {
    return (res: uWS.HttpResponse, req: uWS.HttpRequest): void => {
      this.#pending.asked(socketAddress(res));
      if (hasTwoLengths(req)) res.close();
      else respond(res);
    };
  }

  #upgrade(res: uWS.HttpResponse, req: uWS.HttpRequest, context: uWS.us_socket_context_t): void {
    this.#pending.asked(socketAddress(res));
    if (hasTwoLengths(req)) return void res.close();
    const address = addressOf(res, req, this.#options.trustedHops);
    const upgrade = {
      ticket: req.getQuery('ticket') ?? '',
      protocols: req.getHeader('sec-websocket-protocol'),
      origin: req.getHeader('origin'),
      address,
    };
    // Read now: the request is gone once this returns.
    const handshake: Handshake = {
      address,
      key: req.getHeader('sec-websocket-key'),
      extensions: req.getHeader('sec-websocket-extensions'),
      context,
    };
    const verdict = this.#gate.judge(upgrade, this.counts.open, this.#options.now());
    if (!verdict.isAdmitted && verdict.why === 'foreign') void this.#askNamedEdge(res, verdict, handshake);
    else this.#conclude(res, verdict, handshake);
  }

  async #askNamedEdge(res: uWS.HttpResponse, foreign: Foreign, handshake: Handshake): Promise<void> {
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
    });
    const claimed = await this.#claimer.ask(foreign);
    this.#turn.next(() => {
      if (isGone) return;
      const verdict = this.#gate.settle(foreign, claimed, this.counts.open, this.#options.now());
      if (verdict.isAdmitted) this.counts.honoured += 1;
      this.#conclude(res, verdict, handshake);
    });
  }

  #conclude(res: uWS.HttpResponse, verdict: Verdict, handshake: Handshake): void {
    if (!verdict.isAdmitted && verdict.why !== 'dismissed') {
      this.#noteRefused(verdict);
      return answerRefused(res, verdict);
    }
    const { address, key, extensions, context } = handshake;
    this.#pending.settled();
    const accepted = { verdict, address, connection: undefined, hasSpoken: false, dismissal: undefined };
    res.upgrade<UserData>({ accepted }, key, verdict.isBare ? '' : subprotocol, extensions, context);
  }

  #noteRefused(refused: Refused): void {
    countRefused(this.counts, refused);
    this.#options.refusals.refused(refused.why === 'ticket' ? refused.code : refused.why);
  }

  #open(ws: uWS.WebSocket<UserData>): void {
    const { accepted } = ws.getUserData();
    const { verdict, address } = accepted;
    if (!verdict.isAdmitted) {
      if (verdict.close.code === closeCodes.wrongEdge.code) this.counts.wrongEdge += 1;
      this.#dismiss(ws, verdict);
      return;
    }
    const connection = new UwsConnection(ws, verdict, address, this.#limits, this.counts);
    accepted.connection = connection;
    this.#admitted(connection);
  }

  #admitted(connection: Connection): void {
    this.counts.open += 1;
    this.counts.accepted += 1;
    this.#accept(connection);
  }

  #gone(claims: TicketClaims, code: number, isFromHere: boolean): void {
    this.counts.open -= 1;
    this.counts.closes.add(closeLabel(code));
    if (isFromHere) this.#options.refusals.closed(claims, code);
  }

  #dismiss(ws: uWS.WebSocket<UserData>, { close: { code, reason }, afterMs }: Dismissed): void {
    if (afterMs === undefined) return void ws.end(code, reason);
    const { accepted } = ws.getUserData();
    accepted.dismissal = setTimeout(() => ws.end(code, reason), afterMs);
  }

  #message(ws: uWS.WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void {
    const { accepted } = ws.getUserData();
    const { connection, hasSpoken } = accepted;
    if (!connection) return;
    accepted.hasSpoken = true;
    this.counts.framesIn += 1;
    const isFirst = !(hasSpoken || isBinary || connection.isBare);
    if (message.byteLength > this.#options.maxPayloadBytes && !this.#isLongHello(message, isFirst)) {
      this.counts.tooLarge += 1;
      return connection.close(closeCodes.tooLarge);
    }
    if (connection.isBare) return connection.owner?.onIgnored();
    if (isBinary) return connection.close(closeCodes.badFrame);
    connection.owner?.onFrame(new ClientText(Buffer.from(message)));
  }

  #isLongHello(message: ArrayBuffer, isFirst: boolean): boolean {
    const text = Buffer.from(message).toString('utf8');
    return isFirst && isLongHello(text, message.byteLength, this.#options.maxPayloadBytes);
  }

  #close(ws: uWS.WebSocket<UserData>, code: number): void {
    const { connection, dismissal } = ws.getUserData().accepted;
    clearTimeout(dismissal);
    if (!connection) return this.counts.closes.add(closeLabel(code));
    this.#gone(connection.claims, code, connection.isClosed);
    connection.gone(code);
  }
}

/** An event may be written up to the watermark; a frame behind it must not be one too many. */
const mostBuffered = ({ maxBufferedBytes, highWatermarkBytes, maxEventBytes }: UwsTransportOptions): number =>
  Math.max(maxBufferedBytes, highWatermarkBytes + maxEventBytes);
