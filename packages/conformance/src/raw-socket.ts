import type { CloseCode, EdgeFrame } from '@evenkeel/protocol';
import { type FrameOf, RawClient, type RawOptions } from '@evenkeel/testkit';
import { must, mustEqual, Violation } from './verdict.js';

export interface OpenOptions {
  /** A bare client offers no subprotocol. */
  readonly isBare?: boolean;
}

const patienceMs = 8_000;

/** One WebSocket with what a rule may ask of it. It acknowledges nothing by itself. */
export class RawSocket extends RawClient {
  /** @throws UpgradeRefused */
  static dial(url: string, ticket: string, { isBare = false }: OpenOptions = {}): Promise<RawSocket> {
    const options: RawOptions = { acks: false, ...(isBare && { protocol: undefined }) };
    return RawSocket.open(url, ticket, options);
  }

  /** As many events, in the order of coming. */
  async nextEvents(count: number, timeoutMs = patienceMs): Promise<FrameOf<'event'>[]> {
    const found: FrameOf<'event'>[] = [];
    while (found.length < count) found.push(await this.next('event', undefined, timeoutMs));
    return found;
  }

  async mustError(re: string, code: string, timeoutMs = patienceMs): Promise<void> {
    const answer = await this.answer(re, timeoutMs);
    mustEqual(answer.t === 'error' ? answer.code : answer.t, code, `answer to '${re}'`);
    must(answer.t === 'error' && typeof answer.message === 'string', 'an error has a message');
  }

  async mustOk(re: string): Promise<FrameOf<'ok'>> {
    const answer = await this.answer(re, patienceMs);
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
    const closed = await this.end(timeoutMs);
    mustEqual(closed, { code: wanted.code, reason: wanted.reason }, 'close');
  }

  /** Waits for any end. */
  end(timeoutMs = patienceMs): Promise<{ code: number; reason: string }> {
    return this.waitFor('the end of the socket', () => this.ended, timeoutMs);
  }

  /** The other side answers, so it has looked at everything sent before. */
  async mustLive(what: string): Promise<void> {
    this.send({ t: 'ping' });
    await this.next('pong', undefined, patienceMs).catch((error: unknown) => {
      throw new Violation(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  /** Breaks the connection without a close handshake. */
  async cut(): Promise<void> {
    this.terminate();
    await this.end();
  }
}
