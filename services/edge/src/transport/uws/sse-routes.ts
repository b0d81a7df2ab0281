import type uWS from 'uWebSockets.js';
import { closeCodes, subprotocol } from '@evenkeel/protocol';
import type { Origins } from '@evenkeel/runtime';
import type { Connection } from '../connection.js';
import type { ConnectionCounts } from '../counts.js';
import type { Admitted, Claimer, Dismissed, Foreign, Gate, Refused, Verdict } from '../gate.js';
import type { PendingConnections } from '../pending.js';
import { pageHeaders, preflightHeaders, streamHeaders } from '../sse/headers.js';
import { connectionOfPath } from '../sse/path.js';
import { admitPost, type PostAnswer, takePost } from '../sse/posts.js';
import type { SseStreams } from '../sse/streams.js';
import { closeText } from '../sse/text.js';
import { addressOf, socketAddress } from './address.js';
import { answer, answerEmpty, answerRefused, hasTwoLengths, writeHeaders } from './answer.js';
import type { Door } from './doors.js';
import type { EngineTurn } from './engine-turn.js';
import { HttpStream } from './http-stream.js';

/** Of a posted body, in frames of the largest kind. */
const framesOfBody = 2;

export interface SseRoutesOptions {
  readonly gate: Gate;
  readonly claimer: Claimer;
  readonly pending: PendingConnections;
  readonly streams: SseStreams;
  readonly origins: Origins;
  readonly counts: ConnectionCounts;
  readonly turn: EngineTurn;
  readonly trustedHops: number;
  readonly maxPayloadBytes: number;
  now(): number;
  onRefused(refused: Refused): void;
  accept(connection: Connection): void;
}

/** What is kept of a request that asks for a stream. */
interface Asking {
  readonly res: uWS.HttpResponse;
  readonly door: Door;
  readonly address: () => string;
  readonly headers: Record<string, string>;
  isGone: boolean;
  onGone: () => void;
}

/** Streams of server-sent events over HTTP, and the posts of their clients. */
export class SseRoutes {
  readonly #options: SseRoutesOptions;

  constructor(options: SseRoutesOptions) {
    this.#options = options;
  }

  /** `GET …/sse?ticket=…`; anything else is another route's. */
  get(res: uWS.HttpResponse, req: uWS.HttpRequest, door: Door): void {
    if (connectionOfPath(req.getUrl()) !== '') return void req.setYield(true);
    const { gate, counts, pending, now, trustedHops } = this.#options;
    pending.asked(socketAddress(res));
    if (hasTwoLengths(req)) return void res.close();
    const asking: Asking = {
      res,
      door,
      address: addressOf(res, req, trustedHops),
      headers: this.#headers(req),
      isGone: false,
      onGone: () => {},
    };
    res.onAborted(() => {
      asking.isGone = true;
      asking.onGone();
    });
    const upgrade = {
      ticket: req.getQuery('ticket') ?? '',
      protocols: subprotocol,
      origin: req.getHeader('origin'),
      address: asking.address,
    };
    const verdict = gate.judge(upgrade, counts.open, now());
    if (!verdict.isAdmitted && verdict.why === 'foreign') void this.#askNamedEdge(verdict, asking);
    else this.#conclude(verdict, asking);
  }

  /** `POST …/sse/<connection>`: frames, one a line. */
  post(res: uWS.HttpResponse, req: uWS.HttpRequest): void {
    const id = connectionOfPath(req.getUrl());
    if (!id) return void req.setYield(true);
    const { pending, streams, origins, maxPayloadBytes } = this.#options;
    pending.asked(socketAddress(res));
    if (hasTwoLengths(req)) return void res.close();
    const headers = this.#headers(req);
    const n = req.getQuery('n');
    if (!origins.takes(req.getHeader('origin') || undefined)) {
      const forbidden = {
        status: '403 Forbidden',
        code: 'origin-refused',
        message: 'this page may not post',
      };
      return reply(res, forbidden, headers);
    }
    const admitted = admitPost(streams, id);
    if ('status' in admitted) return reply(res, admitted, headers);
    const connection = admitted;
    connection.posting += 1;
    let isOver = false;
    const over = () => {
      if (!isOver) connection.posting -= 1;
      isOver = true;
    };
    res.onAborted(over);
    const chunks: Buffer[] = [];
    let bytes = 0;
    res.onData((chunk, isLast) => {
      if (isOver) return;
      connection.heard();
      bytes += chunk.byteLength;
      if (bytes > framesOfBody * maxPayloadBytes) {
        over();
        const tooLarge = { status: '413 Content Too Large', code: 'too-large', message: 'send less at once' };
        reply(res, tooLarge, headers);
        return connection.close(closeCodes.tooLarge);
      }
      // The engine's own memory is gone when this returns.
      chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (!isLast) return;
      over();
      reply(res, takePost(connection, n, Buffer.concat(chunks).toString('utf8')), headers);
    });
  }

  /** A page asks whether it may post. */
  options(res: uWS.HttpResponse, req: uWS.HttpRequest): void {
    if (connectionOfPath(req.getUrl()) === undefined) return void req.setYield(true);
    this.#options.pending.asked(socketAddress(res));
    if (hasTwoLengths(req)) return void res.close();
    answerEmpty(res, '204 No Content', { ...this.#headers(req), ...preflightHeaders });
  }

  #headers(req: uWS.HttpRequest): Record<string, string> {
    return { 'cache-control': 'no-store', ...pageHeaders(this.#options.origins, req.getHeader('origin')) };
  }

  async #askNamedEdge(foreign: Foreign, asking: Asking): Promise<void> {
    const { claimer, gate, counts, turn, now } = this.#options;
    const claimed = await claimer.ask(foreign);
    turn.next(() => {
      if (asking.isGone) return;
      const verdict = gate.settle(foreign, claimed, counts.open, now());
      if (verdict.isAdmitted) counts.honoured += 1;
      this.#conclude(verdict, asking);
    });
  }

  #conclude(verdict: Verdict, asking: Asking): void {
    if (verdict.isAdmitted) return this.#open(verdict, asking);
    if (verdict.why === 'dismissed') return this.#dismiss(verdict, asking);
    this.#options.onRefused(verdict);
    answerRefused(asking.res, verdict, asking.headers);
  }

  #open({ claims }: Admitted, asking: Asking): void {
    const { streams, pending, accept } = this.#options;
    const { res, door, address, headers } = asking;
    // From here on it is no connection of which nothing is known; as it goes it is counted out once more.
    pending.settled();
    door.open += 1;
    const stream = new HttpStream(res, () => {
      pending.unsettled();
      door.open -= 1;
    });
    begin(res, headers);
    const connection = streams.open(stream, claims, address);
    asking.onGone = () => {
      stream.gone();
      connection.lost();
    };
    res.onWritable(() => {
      connection.writable();
      return true;
    });
    accept(connection);
  }

  /** In the form of a stream too: whoever reads streams reads the reason there. */
  #dismiss({ close, afterMs }: Dismissed, asking: Asking): void {
    const { counts } = this.#options;
    if (close.code === closeCodes.wrongEdge.code) counts.wrongEdge += 1;
    begin(asking.res, asking.headers);
    const tell = () => {
      if (!asking.isGone) asking.res.cork(() => asking.res.end(closeText(close)));
    };
    if (afterMs === undefined) return tell();
    const dismissal = setTimeout(tell, afterMs);
    asking.onGone = () => clearTimeout(dismissal);
  }
}

function begin(res: uWS.HttpResponse, headers: Record<string, string>): void {
  res.cork(() => {
    res.writeStatus('200 OK');
    writeHeaders(res, { ...headers, ...streamHeaders });
    // So that the head goes out, and what is in between knows that this is an answer of no length.
    res.write('\n');
  });
}

function reply(
  res: uWS.HttpResponse,
  { status, code, message = '' }: PostAnswer,
  headers: Record<string, string>,
): void {
  if (code === undefined) answerEmpty(res, status, headers);
  else answer(res, status, code, message, headers);
}
