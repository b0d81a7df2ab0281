import type { Publisher, PublishProperties } from '@evenkeel/broker';
import { Fifo, LogLimit, sleep, withDeadline } from '@evenkeel/pace';
import { exchanges, fromUid, type Happening, happeningKey } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Why a session has ended. */
export type EndReason = 'bye' | 'expired' | 'disconnected';

/** One thing that has happened to a session. */
export interface Told {
  readonly what: Happening;
  readonly uid: string;
  readonly sid: string;
  /** Of the connection that it is about: with the session it makes the identity of what has happened. */
  readonly epoch: number;
  /** Where the session was. */
  readonly node: string;
  readonly reason?: EndReason;
  /** Of a connection that its client has closed: with which code. Applications are not told. */
  readonly code?: number;
  /** Of one that has come: what is told of it, as JSON text. */
  readonly info?: string;
  /** It is told by another edge because the session's own has fallen silent, which may tell the same of this connection later. */
  readonly isOnBehalf?: true;
}

/** Told and not yet confirmed; the oldest is dropped beyond it. */
export const maxWaiting = 100_000;
/** Unconfirmed at a time, one of a session. */
const window = 128;
const againMs = 1_000;
const stopMs = 2_000;
const logEveryMs = 30_000;

export interface HappeningsOptions {
  publisher: Pick<Publisher, 'publish'>;
  log: Pick<Log, 'warn'>;
  /** ms since the epoch. */
  now(): number;
}

/** What is to be told of one session. Until the first is confirmed no other goes: it may have to be sent again. */
interface Line {
  readonly session: string;
  readonly messages: [Message, ...Message[]];
}

interface Message {
  readonly seq: number;
  readonly key: string;
  readonly body: string;
  readonly properties: PublishProperties;
}

/**
 * Tells applications what becomes of sessions, on `mesh.sessions`: at least once, in order for each session, also after a loss of
 * the broker. A repeat has the same `message_id`.
 */
export class Happenings {
  /** Not told, because too many waited for the broker. */
  dropped = 0;
  told = 0;
  readonly #options: HappeningsOptions;
  readonly #lines = new Map<string, Line>();
  /** Those whose first is neither under way nor among those that failed. */
  readonly #ready = new Fifo<Line>();
  readonly #failed: Line[] = [];
  readonly #stopping = new AbortController();
  readonly #failedLog = new LogLimit(logEveryMs);
  #seq = 0;
  #waiting = 0;
  #underWay = 0;
  #isPaused = false;
  #onTold = () => {};

  constructor(options: HappeningsOptions) {
    this.#options = options;
  }

  /** Told and not yet confirmed. */
  get waiting(): number {
    return this.#waiting;
  }

  tell({ what, uid, sid, epoch, node, reason, info, isOnBehalf }: Told): void {
    const at = this.#options.now();
    const body = {
      user: fromUid(uid),
      session: sid,
      node,
      at,
      ...(reason === undefined ? {} : { reason }),
      ...(info === undefined ? {} : { info: JSON.parse(info) as unknown }),
    };
    this.#seq += 1;
    const line = this.#push(`${uid}.${sid}`, {
      seq: this.#seq,
      key: happeningKey(uid, what),
      body: JSON.stringify(body),
      properties: {
        messageId: `${uid}.${sid}.${epoch}.${what}${isOnBehalf === true ? '.silent' : ''}`,
        timestamp: Math.floor(at / 1_000),
        contentType: 'application/json',
        type: what,
        persistent: true,
      },
    });
    if (this.#waiting - this.#underWay > maxWaiting) this.#dropOne(line);
    this.#pump();
  }

  /** Resolves when all is told, or after two seconds. */
  async stop(): Promise<void> {
    if (this.waiting > 0) {
      const told = new Promise<void>((resolve) => {
        this.#onTold = resolve;
      });
      await withDeadline(told, stopMs, () => undefined);
    }
    this.#stopping.abort();
  }

  #push(session: string, message: Message): Line {
    this.#waiting += 1;
    const known = this.#lines.get(session);
    known?.messages.push(message);
    if (known !== undefined) return known;
    const line: Line = { session, messages: [message] };
    this.#lines.set(session, line);
    this.#ready.push(line);
    return line;
  }

  /** The first of a line that was ready is told, or is not to be: what is behind it is next. */
  #shift(line: Line): void {
    this.#waiting -= 1;
    line.messages.shift();
    if (line.messages.length > 0) this.#ready.prepend([line]);
    else this.#lines.delete(line.session);
  }

  /** The oldest of who has waited longest; where nobody but these waits, of the one that has just got one more. */
  #dropOne(line: Line): void {
    this.dropped += 1;
    const oldest = this.#ready.shift();
    if (oldest !== undefined) return this.#shift(oldest);
    this.#waiting -= 1;
    line.messages.splice(1, 1);
  }

  #pump(): void {
    while (!this.#isPaused && this.#underWay < window) {
      const line = this.#ready.shift();
      if (line === undefined) return;
      this.#underWay += 1;
      void this.#send(line);
    }
  }

  async #send(line: Line): Promise<void> {
    const [{ key, body, properties }] = line.messages;
    try {
      await this.#options.publisher.publish(exchanges.sessions, key, body, properties);
      this.told += 1;
      this.#shift(line);
    } catch (error) {
      this.#failed.push(line);
      this.#isPaused = true;
      const suppressed = this.#failedLog.pass(performance.now());
      if (suppressed !== undefined && !this.#stopping.signal.aborted)
        this.#options.log.warn({ err: error, suppressed }, 'happening not told, trying again');
    }
    this.#underWay -= 1;
    if (this.#underWay === 0 && this.#isPaused) await this.#resume();
    this.#pump();
    if (this.waiting === 0) this.#onTold();
  }

  /** Nothing is under way: those that failed go first, in their order. */
  async #resume(): Promise<void> {
    await sleep(againMs, this.#stopping.signal).catch(() => {});
    if (this.#stopping.signal.aborted) return;
    this.#ready.prepend(this.#failed.splice(0).sort(({ messages: [a] }, { messages: [b] }) => a.seq - b.seq));
    this.#isPaused = false;
  }
}
