import type { EdgeFrame, WelcomeFrame } from '@evenkeel/protocol/wire';
import type { CallKind, Calls } from '../calls/calls.js';
import { ClientError } from '../errors.js';
import type { ConnectOptions } from '../options.js';
import { Connection } from '../session/connection.js';
import type { Saved } from '../session/session-store.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import type { AnyFrame, HelloAdds, Part } from './part.js';
import { sayPastOnce } from './said-once.js';
import { type TopicWishes, Wishes } from './wishes.js';

const made = new WeakMap<ConnectOptions, PartedConnection>();

/** The core's connection with parts at its seams: what they do and what they are told is in {@link Part}. */
export class PartedConnection extends Connection {
  parts: readonly Part[] = [];
  readonly wishes = new Wishes();
  /** Ids of calls of `subscribe` that begin a topic anew, whatever `hello` has said of it. */
  readonly anew = new Set<string>();

  constructor(options: ConnectOptions, saved: Saved) {
    super(options, saved);
    made.set(options, this);
    const { calls, statusFeed } = this;
    const open: Calls['open'] = calls.open.bind(calls);
    calls.open = async (kind, name, data, sending, more, id) => {
      const answer = await open(kind, name, data, sending, { ...this.#addsTo(kind, name), ...more }, id);
      for (const part of this.parts) part.answered?.(kind, name, answer);
      return answer;
    };
    const emit = statusFeed.emit.bind(statusFeed);
    statusFeed.emit = (status) => {
      if (!this.parts.some((part) => part.status?.(status))) emit(status);
    };
  }

  /** The one that was made with these very options. */
  static of(options: ConnectOptions): PartedConnection {
    return made.get(options) as PartedConnection;
  }

  /** What a new subscriber of `topic` wants beside its messages. */
  wish(topic: string, wishes: TopicWishes): void {
    // The last one before it went.
    if (!this.topicTable.entriesOf.has(topic)) this.wishes.delete(topic);
    this.wishes.add(topic, wishes);
  }

  override adds(socket: EdgeSocket): object {
    const adds: HelloAdds = { topics: this.wishes.said(this.topicTable.wanted) };
    for (const part of this.parts) part.hello?.(adds, socket);
    sayPastOnce(socket, adds.topics, this.anew);
    return adds;
  }

  override received(socket: EdgeSocket, frame: EdgeFrame): void {
    if (this.parts.some((part) => part.received?.(socket, frame as unknown as AnyFrame))) return;
    const isFirst = frame.t === 'welcome' && !socket.isWelcomed;
    super.received(socket, frame);
    if (isFirst) for (const part of this.parts) part.welcomed?.(socket, frame as WelcomeFrame);
  }

  /**
   * A frame that is counted and acknowledged as an event and is none, such as a `part`. `take` is called before this returns, unless it
   * came already; whatever it makes wait, wait must not the events behind it. `id` is its identity in the session.
   */
  takeCounted(
    socket: EdgeSocket,
    frame: { seq: number; redelivered?: true; again?: number },
    id: string,
    take: () => void,
  ): void {
    const { seq, redelivered, again } = frame;
    const event = { t: 'event' as const, seq, id, name: '', data: null, at: 0 };
    super.received(
      socket,
      { ...event, ...(redelivered && { redelivered }), ...(again !== undefined && { again }) },
      take,
    );
  }

  /** Calls an edge, as `publish` and the like do: again after a loss, with the same id. Rejects with {@link ClientError}. */
  async ask(...call: Parameters<Calls['open']>): Promise<unknown> {
    this.checkOpen();
    const answer = this.calls.open(...call);
    this.flushNow();
    return answer;
  }

  /** @throws ClientError `closed` */
  checkOpen(): void {
    const { endedBy } = this;
    if (endedBy) throw new ClientError('closed', `closed: ${endedBy.message}; connect anew`, endedBy);
  }

  /** Sends a frame that has no answer, once; false: there is no edge that would take it now. */
  say(frame: AnyFrame): boolean {
    const { activeSocket } = this;
    if (!activeSocket || activeSocket.isMoved) return false;
    activeSocket.send(JSON.stringify(frame));
    return true;
  }

  #addsTo(kind: CallKind, name: string): object {
    const wishes = kind === 'subscribe' ? this.wishes.of(name) : undefined;
    return Object.assign({ ...wishes }, ...this.parts.map((part) => part.call?.(kind, name)));
  }
}
