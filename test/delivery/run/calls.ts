import type { Frame } from '../log.js';

/** A socket, as far as asking needs it. */
interface Line {
  readonly name: string;
  readonly isOver: boolean;
  send(frame: Frame): void;
}

interface Call {
  readonly line: Line;
  /** Which of the requests of its socket it is. */
  readonly ordinal: number;
  /** A part of its answer has come: the rest waits in the session's queue. */
  hasBegun: boolean;
}

/** Parts of an answer. */
const parts = 5;

/** What one client asks services, in turn for one answer and for one in parts, and has no answer to yet. */
export class Calls {
  readonly #open = new Map<string, Call>();
  readonly #sent = new WeakMap<Line, number>();
  #asked = 0;

  ask(line: Line): void {
    const ordinal = (this.#sent.get(line) ?? 0) + 1;
    this.#sent.set(line, ordinal);
    const id = `${line.name}-${ordinal}`;
    this.#open.set(id, { line, ordinal, hasBegun: false });
    this.#asked += 1;
    const what =
      this.#asked % 2 === 0
        ? { method: 'shop.count', data: { to: parts } }
        : { method: 'shop.echo', data: { asked: this.#asked } };
    line.send({ t: 'request', id, ...what });
  }

  received(line: Line, frame: Frame): void {
    if (frame.t === 'moved')
      this.#forget((call) => call.line === line && call.ordinal > Number(frame.received));
    const id = String(frame.re);
    const call = this.#open.get(id);
    if (call === undefined) return;
    if (frame.t === 'part') call.hasBegun = true;
    if (frame.t === 'ok' || frame.t === 'error') this.#open.delete(id);
  }

  /** Whether an answer is due: what was lost with its socket, before any of it had come, may have none. */
  get isWaiting(): boolean {
    this.#forget(({ line, hasBegun }) => line.isOver && !hasBegun);
    return this.#open.size > 0;
  }

  #forget(which: (call: Call) => boolean): void {
    for (const [id, call] of this.#open) if (which(call)) this.#open.delete(id);
  }
}
