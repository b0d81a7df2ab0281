import type { IncomingMessage } from 'node:http';
import { type CloseCode, type EdgeFrame, subprotocol } from '@evenkeel/protocol';
import WebSocket from 'ws';
import { must, mustEqual, Violation } from './rule.js';

export interface Received {
  readonly text: string;
  readonly bytes: Buffer;
  readonly isBinary: boolean;
  /** Undefined when it is not a JSON object with `t`. */
  readonly frame: EdgeFrame | undefined;
  readonly atMs: number;
}

type FrameOf<T extends EdgeFrame['t']> = Extract<EdgeFrame, { t: T }>;

export interface OpenOptions {
  /** A bare client offers no subprotocol. */
  readonly isBare?: boolean;
}

/** The upgrade was answered with something else than 101. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the upgrade was answered ${status}: ${body.slice(0, 200)}`);
    this.status = status;
    this.body = body;
  }
}

const patienceMs = 8_000;

/** One WebSocket, every message of which is kept in order. */
export class RawSocket {
  /** All that has come. */
  readonly log: Received[] = [];
  readonly ws: WebSocket;
  closed: { code: number; reason: string } | undefined;
  #unread: Received[] = [];
  readonly #onChange = new Set<() => void>();

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      const received = { bytes: data, isBinary, atMs: performance.now(), ...read(data, isBinary) };
      this.log.push(received);
      this.#unread.push(received);
      this.#changed();
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#changed();
    });
    ws.on('error', () => {});
  }

  /** @throws UpgradeRefused */
  static async open(url: string, ticket: string, options: OpenOptions = {}): Promise<RawSocket> {
    const separator = url.includes('?') ? '&' : '?';
    const protocols = options.isBare === true ? [] : [subprotocol];
    const ws = new WebSocket(`${url}${separator}ticket=${encodeURIComponent(ticket)}`, protocols, {
      handshakeTimeout: patienceMs,
      perMessageDeflate: false,
    });
    const socket = new RawSocket(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
      ws.once('unexpected-response', (_request, response) => {
        readBody(response).then((body) => {
          reject(new UpgradeRefused(response.statusCode ?? 0, body));
          ws.terminate();
        }, reject);
      });
    });
    return socket;
  }

  send(frame: object | string | Buffer): void {
    this.ws.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The first unread frame of that kind (and form), now or within the deadline; it counts as read then. */
  next<T extends EdgeFrame['t']>(
    t: T,
    where: (frame: FrameOf<T>) => boolean = () => true,
    timeoutMs = patienceMs,
  ): Promise<FrameOf<T>> {
    const isIt = (frame: EdgeFrame | undefined): frame is FrameOf<T> =>
      frame?.t === t && where(frame as FrameOf<T>);
    return this.#until(`a frame '${t}'`, timeoutMs, () => {
      const index = this.#unread.findIndex((received) => isIt(received.frame));
      const found = this.#unread[index]?.frame;
      if (!isIt(found)) return undefined;
      this.#unread.splice(index, 1);
      return found;
    });
  }

  /** As many events, in the order of coming. */
  async events(count: number, timeoutMs = patienceMs): Promise<FrameOf<'event'>[]> {
    const found: FrameOf<'event'>[] = [];
    while (found.length < count) found.push(await this.next('event', undefined, timeoutMs));
    return found;
  }

  /** The next message as it came, for bare clients. */
  raw(timeoutMs = patienceMs): Promise<Received> {
    return this.#until('a message', timeoutMs, () => this.#unread.shift());
  }

  /** The answer to the request `re`. */
  answer(re: string, timeoutMs = patienceMs): Promise<FrameOf<'ok'> | FrameOf<'error'>> {
    return this.#until(`an answer to '${re}'`, timeoutMs, () => {
      for (const { frame } of this.#unread) {
        if ((frame?.t === 'ok' || frame?.t === 'error') && frame.re === re) return frame;
      }
      return undefined;
    });
  }

  async mustError(re: string, code: string, timeoutMs?: number): Promise<void> {
    const answer = await this.answer(re, timeoutMs);
    mustEqual(answer.t === 'error' ? answer.code : answer.t, code, `answer to '${re}'`);
    must(answer.t === 'error' && typeof answer.message === 'string', 'an error has a message');
  }

  async mustOk(re: string): Promise<FrameOf<'ok'>> {
    const answer = await this.answer(re);
    if (answer.t === 'ok') return answer;
    throw new Violation(`'${re}' was answered by error '${answer.code}' (${answer.message}), not by ok`);
  }

  /** Fails if such a frame is there or comes within `ms`. */
  async mustNot<T extends EdgeFrame['t']>(
    t: T,
    ms: number,
    what: string,
    where: (frame: FrameOf<T>) => boolean = () => true,
  ): Promise<void> {
    const found = await this.next(t, where, ms).catch(() => undefined);
    must(found === undefined, `${what}: ${JSON.stringify(found)}`);
  }

  /** Waits for the close and checks its code and reason. */
  async mustClose(wanted: Pick<CloseCode, 'code' | 'reason'>, timeoutMs = patienceMs): Promise<void> {
    const closed = await this.#until(`a close with ${wanted.code}`, timeoutMs, () => this.closed);
    mustEqual(closed, { code: wanted.code, reason: wanted.reason }, 'close');
  }

  /** Waits for any end. */
  end(timeoutMs = patienceMs): Promise<{ code: number; reason: string }> {
    return this.#until('the end of the socket', timeoutMs, () => this.closed);
  }

  /** The other side answers, so it has looked at everything sent before. */
  async mustLive(what: string): Promise<void> {
    this.send({ t: 'ping' });
    await this.next('pong').catch((error: unknown) => {
      throw new Violation(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  /** Breaks the connection without a close handshake. */
  async cut(): Promise<void> {
    this.ws.terminate();
    await this.end();
  }

  #until<V>(what: string, timeoutMs: number, look: () => V | undefined): Promise<V> {
    const ready = look();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#onChange.delete(check);
      };
      const fail = (why: string) => {
        done();
        reject(new Violation(`${what} did not come: ${why}; seen: ${this.#summary()}`));
      };
      const check = () => {
        const value = look();
        if (value !== undefined) {
          done();
          resolve(value);
        } else if (this.closed !== undefined) {
          fail(`the socket closed with ${this.closed.code} '${this.closed.reason}'`);
        }
      };
      const timer = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
      this.#onChange.add(check);
      check();
    });
  }

  #changed(): void {
    for (const fn of [...this.#onChange]) fn();
  }

  #summary(): string {
    const last = this.log.slice(-4).map(({ text }) => text.slice(0, 120));
    return `${this.log.length} messages${last.length > 0 ? `, last ${last.join(' ')}` : ''}`;
  }
}

function read(data: Buffer, isBinary: boolean): { text: string; frame: EdgeFrame | undefined } {
  const text = data.toString('utf8');
  if (isBinary) return { text, frame: undefined };
  try {
    const value = JSON.parse(text) as EdgeFrame | null;
    return { text, frame: typeof value?.t === 'string' ? value : undefined };
  } catch {
    return { text, frame: undefined };
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return body;
}
