import { PresenceCopy, type PresenceCopyOptions, Roster } from '@evenkeel/mesh';
import {
  copyKey,
  exchanges,
  type PresenceAsk,
  type PresenceNews,
  presenceKey,
  type TopicPresence,
  type UserPresence,
} from '@evenkeel/protocol';
import { OwnMembers, type Place, type Who } from './members.js';
import { Online } from './online.js';
import { tellEveryMs, Watchers, watchedName } from './watchers.js';

/** Changes are sent together, so often, ms. */
const batchMs = 50;
const beatMs = 1_000;
/** A question waits so long for what others have, ms: they are asked again for what has not come. */
const patienceMs = 6_500;
/** A message is of no use later. */
const expiresMs = 10_000;

export interface EdgePresenceOptions {
  mesh: PresenceCopyOptions['mesh'];
  node: string;
  boot: string;
  graceMs: number;
  /** Sessions in topics at most. */
  maxMembers: number;
  maxEventBytes: number;
  /** Sends a frame to every connection that has subscribed this name. */
  publish(name: string, frame: string): void;
  /** What the namespace of a topic keeps. */
  kept(topic: string): boolean | 'claim';
  /** Ms that take no step, and ms since the epoch. */
  now(): number;
  wallNow(): number;
}

/** Who is in which topic: tells other edges of the members here, keeps copies of theirs, tells clients. */
export class EdgePresence {
  readonly members: OwnMembers;
  readonly online: Online;
  readonly watchers: Watchers;
  readonly copy: PresenceCopy;
  readonly roster: Roster;
  /** Messages and bytes that were sent to others. */
  readonly sent = { messages: 0, bytes: 0 };
  readonly #options: EdgePresenceOptions;
  #ticking: NodeJS.Timeout | undefined;
  /** The exchange is there. */
  #hasHeard = false;
  #beatAtMs = 0;
  #toldAtMs = 0;

  constructor(options: EdgePresenceOptions) {
    const { mesh, node, boot, graceMs, maxMembers, maxEventBytes, publish, now } = options;
    this.#options = options;
    this.roster = new Roster({
      onChange: (topic, uid, isHere) => this.watchers.changed(topic, uid, isHere),
    });
    this.watchers = new Watchers({ roster: this.roster, maxBytes: maxEventBytes, publish });
    const { wallNow } = options;
    this.members = new OwnMembers({ roster: this.roster, graceMs, max: maxMembers, now, wallNow });
    this.online = new Online({ graceMs, now, wallNow });
    const sessionsOf = (uid: string) => this.online.of(uid);
    const { members } = this;
    const own = {
      node,
      boot,
      sessionsOf,
      onAsk: (ask: PresenceAsk) => this.#onAsk(ask),
      onEntered: members.enteredElsewhere.bind(members),
    };
    this.copy = new PresenceCopy({
      mesh,
      queue: `edge.${node}.presence`,
      roster: this.roster,
      own,
      now,
    });
  }

  readiness(): true | string {
    return this.copy.readiness();
  }

  /** Resolves at once: until it hears the others it tells them nothing, and answers nobody. */
  start(signal?: AbortSignal): void {
    this.#ticking = setInterval(() => this.#tick(), batchMs);
    this.copy.start(signal).then(
      () => {
        this.#hasHeard = true;
      },
      // It is stopped.
      () => {},
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticking);
    await this.copy.stop();
  }

  /** What is kept of a topic: nothing, all, or all with `info` from tokens alone. */
  kept(topic: string): boolean | 'claim' {
    return this.#options.kept(topic);
  }

  /** A connection of the session is attached now. */
  attached(who: Who): Place {
    return this.online.enter(who);
  }

  /** A connection of the session has the topic now. `info`: JSON text. Undefined: there are too many. */
  enter(topic: string, who: Who, info: string | undefined): Place | undefined {
    return this.members.enter(topic, who, info);
  }

  /** A connection is told who comes and goes once it has subscribed `name`; call `end` once, when it does no more. */
  watch(topic: string): { readonly name: string; end(): void } {
    return { name: watchedName(topic), end: this.watchers.watch(topic) };
  }

  /** The frame that answers a client; undefined: it is not known here who is there. */
  async answer(re: string, topic: string): Promise<string | undefined> {
    return (await this.isKnown()) ? this.watchers.answer(re, topic, this.#options.now()) : undefined;
  }

  /** Whether it is known here who is there. An edge that has just started waits until it has heard it of the others. */
  async isKnown(): Promise<boolean> {
    if (!this.copy.hasBeenComplete) await this.copy.whenComplete(patienceMs);
    return this.copy.hasBeenComplete;
  }

  of(topic: string): TopicPresence {
    return this.copy.of(topic);
  }

  user(user: string): Promise<UserPresence> {
    return this.copy.user(user);
  }

  #tick(): void {
    const nowMs = this.#options.now();
    this.members.sweep();
    this.online.sweep();
    if (this.#hasHeard) this.#sendDeltas();
    if (nowMs - this.#toldAtMs >= tellEveryMs) {
      this.#toldAtMs = nowMs;
      this.watchers.tell(nowMs);
    }
    if (!this.#hasHeard || nowMs - this.#beatAtMs < beatMs) return;
    this.#beatAtMs = nowMs;
    const { node, boot } = this.#options;
    this.#send(presenceKey(node), { t: 'beat', node, boot, seq: this.members.seq });
  }

  #sendDeltas(): void {
    const { node, boot } = this.#options;
    for (const delta of this.members.deltas(node, boot)) this.#send(presenceKey(node), delta);
  }

  #onAsk(ask: PresenceAsk): void {
    const { node, boot } = this.#options;
    const key = copyKey(ask.to);
    if (ask.t === 'who')
      return this.#send(key, { t: 'sessions', node, boot, ask: ask.ask, sessions: this.online.of(ask.uid) });
    // Of another process that had this name.
    if (ask.boot !== boot) return;
    this.#sendDeltas();
    for (const part of this.members.snapshot(node, boot)) this.#send(key, part);
  }

  #send(key: string, news: PresenceNews): void {
    const { user: userId, publisher } = this.#options.mesh;
    const body = JSON.stringify(news);
    this.sent.messages += 1;
    this.sent.bytes += body.length;
    const properties = { contentType: 'application/json', expiration: expiresMs, persistent: false, userId };
    // What is lost leaves a hole, which shows at the next beat.
    publisher.publish(exchanges.presence, key, body, properties).catch(() => {});
  }
}
