import {
  type Client,
  connect,
  type PresenceNews,
  type Status,
  type TopicHandle,
  type WebSocketClass,
} from '@evenkeel/client';
import { toUid } from '@evenkeel/protocol';
import { clock } from '../../fleet/clock.js';
import { addOne } from '../../fleet/counts.js';
import type { Movable } from '../../fleet/mover.js';
import { ThinSocket } from '../../fleet/thin-socket.js';
import type { Truth } from './truth.js';

/** What an edge waits for a session that has lost its socket, ms: `EVENKEEL_PRESENCE_GRACE_MS`. */
const graceMs = 2_000;
/** A session that is back so soon is back within the grace, whatever the clocks and queues of a busy machine add. */
const surelyWithinMs = 1_500;
/** What the timers of an edge may be early by. */
const earlyMs = 50;

/** How a user leaves a topic for good. */
export const waysToLeave = ['unsubscribe', 'bye', 'loss'] as const;
export type WayToLeave = (typeof waysToLeave)[number];

/** Since the beginning, over all pages. */
export interface Doings {
  moves: number;
  movesUnderWay: number;
  disconnects: number;
  /** By reason. */
  readonly movesFailed: Record<string, number>;
  reloads: number;
  reloadsInTime: number;
  readonly leaves: Record<WayToLeave, number>;
}

export const noDoings = (): Doings => ({
  moves: 0,
  movesUnderWay: 0,
  disconnects: 0,
  movesFailed: {},
  reloads: 0,
  reloadsInTime: 0,
  leaves: { unsubscribe: 0, bye: 0, loss: 0 },
});

export interface PageOptions {
  readonly gateway: string;
  readonly topic: string;
  readonly user: string;
  /** Tells it from the user's other pages. */
  readonly tab: string;
  readonly truth: Truth;
  readonly doings: Doings;
  /** Whoever is given this watches the topic. */
  readonly onNews?: (news: PresenceNews) => void;
}

/** A page of a user who is in the topic: its client, and what becomes of it. What it does is in the truth before it does it. */
export class Page implements Movable {
  readonly isControl = false;
  isMoving = false;
  askedAtMs = 0;
  /** Whether it was in time when it came back last; undefined: it has not yet. */
  cameBack: boolean | undefined;
  readonly #options: PageOptions;
  readonly #sockets = new Set<ThinSocket>();
  #client: Client;
  #handle: TopicHandle;
  #stop = () => {};
  #mayReturn = true;
  #isIn = true;
  #isReloading = false;

  constructor(options: PageOptions) {
    this.#options = options;
    const { truth, user, tab } = options;
    truth.enters(user, tab, this.info, clock());
    [this.#client, this.#handle] = this.#open();
    this.#handle.ready().then(
      () => truth.entered(user, clock()),
      () => {},
    );
  }

  get user(): string {
    return this.#options.user;
  }

  get info(): unknown {
    return { name: this.#options.user };
  }

  get client(): Client {
    return this.#client;
  }

  get sessionKey(): string {
    return `${toUid(this.user)}.${this.#client.session}`;
  }

  /** It is in the topic, connected, and nothing happens to it just now. */
  get isCalm(): boolean {
    return this.#isIn && !this.isMoving && !this.#isReloading && this.#client.state === 'connected';
  }

  get isIn(): boolean {
    return this.#isIn;
  }

  /** Rejects when it is refused. */
  async ready(): Promise<void> {
    await this.#handle.ready();
  }

  /** The page is loaded anew: its client ends, and the next one goes on in the session. */
  reload(): void {
    const { truth, user, tab, doings } = this.#options;
    const { session, resume } = this.#client;
    this.#isReloading = true;
    doings.reloads += 1;
    truth.away(user, tab, clock(), surelyWithinMs);
    const before = this.#client;
    this.#forget();
    void before.close();
    [this.#client, this.#handle] = this.#open({ session, resume });
  }

  /** It leaves for good. */
  leave(how: WayToLeave): void {
    const { truth, user, tab, doings } = this.#options;
    doings.leaves[how] += 1;
    this.#isIn = false;
    truth.leaves(user, tab, clock() + (how === 'loss' ? graceMs - earlyMs : 0));
    if (how === 'unsubscribe') void this.#handle.close();
    else if (how === 'bye') void this.#client.end();
    else this.#lose();
  }

  /** The edge that has it is killed now; it must be seen to have left by `byMs` where it does not return. */
  edgeDies(mayReturn: boolean, allowedMs: number, byMs: number): void {
    const { truth, user, tab } = this.#options;
    this.cameBack = undefined;
    if (mayReturn) return truth.away(user, tab, clock(), allowedMs);
    this.#isIn = this.#mayReturn = false;
    truth.leaves(user, tab, clock(), byMs);
  }

  async close(): Promise<void> {
    this.#forget();
    await this.#client.close();
  }

  #open(more: { session?: string | undefined; resume?: string | undefined } = {}): [Client, TopicHandle] {
    const { gateway, topic, user, onNews } = this.#options;
    const client = connect({
      gateway,
      user,
      info: this.info,
      WebSocket: dialling(this.#sockets),
      transports: ['websocket'],
      storage: false,
      ...more,
    });
    this.#stop = client.onStatus((status) => this.#status(status));
    const handle = client.topic(topic);
    if (onNews === undefined) handle.on('message', () => {});
    else handle.on('presence', onNews);
    return [client, handle];
  }

  #status(status: Status): void {
    const { type } = status;
    const { truth, user, tab, doings } = this.#options;
    if (type === 'moving' && !this.isMoving) {
      this.isMoving = true;
      doings.movesUnderWay += 1;
    }
    if (type === 'moved') doings.moves += 1;
    if (type === 'move-failed') addOne(doings.movesFailed, status.reason);
    if (type === 'moved' || type === 'move-failed' || type === 'disconnected') this.#endMove();
    if (type === 'disconnected') {
      doings.disconnects += 1;
      if (!this.#mayReturn) return void this.#client.close();
      truth.away(user, tab, clock(), surelyWithinMs);
    }
    if (type !== 'connected') return;
    this.cameBack = truth.back(user, tab, clock()) ?? this.cameBack;
    if (this.#isReloading && this.cameBack === true) doings.reloadsInTime += 1;
    this.#isReloading = false;
  }

  #lose(): void {
    this.#mayReturn = false;
    if (this.#client.state !== 'connected') return void this.#client.close();
    for (const socket of this.#sockets) socket.terminate();
  }

  #forget(): void {
    this.#stop();
    this.#endMove();
  }

  #endMove(): void {
    this.askedAtMs = 0;
    if (!this.isMoving) return;
    this.isMoving = false;
    this.#options.doings.movesUnderWay -= 1;
  }
}

/** Sockets that are in `open` as long as they are. */
function dialling(open: Set<ThinSocket>): WebSocketClass {
  return class extends ThinSocket {
    protected override seeOpen(): void {
      open.add(this);
    }

    protected override seeClose(): void {
      open.delete(this);
    }
  };
}
