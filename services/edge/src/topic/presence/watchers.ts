import { type PresentTogether, presentUser, type Roster, topicPresence } from '@evenkeel/mesh';
import { fromUid, maxListedMembers } from '@evenkeel/protocol';
import { countFrame, presenceFrame, presenceOkFrame } from '../../frame/presence.js';

/** Changes are told together, so often, ms; of a topic with too many members to name them, its number more rarely. */
export const tellEveryMs = 100;
const countEveryMs = 1_000;
/** A topic whose members were too many to name has them named again from here down: not to and fro. */
const namedAgain = maxListedMembers * 0.9;

/** What connections that watch a topic's members have subscribed: no topic has such a name. */
export const watchedName = (topic: string): string => `presence:${topic}`;

export interface WatchersOptions {
  roster: Roster;
  /** Longest frame. */
  maxBytes: number;
  /** Sends a frame to every connection that has subscribed this name. */
  publish(name: string, frame: string): void;
}

interface Watched {
  watchers: number;
  /** Users who came or went since the last frame: whether they were there at the time of it. */
  readonly changed: Map<string, boolean>;
  /** Members are not named any more. */
  isCrowded: boolean;
  toldCountAtMs: number;
}

/** Tells clients who comes and goes. A topic that nobody here watches costs nothing. */
export class Watchers {
  /** Frames, each sent to all who watch a topic. */
  told = 0;
  readonly #options: WatchersOptions;
  readonly #topics = new Map<string, Watched>();
  /** Of which there is something to tell. */
  readonly #due = new Set<string>();

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  /** Topics that are watched. */
  get size(): number {
    return this.#topics.size;
  }

  /** One connection more watches; call what is returned once, when it does no more. */
  watch(topic: string): () => void {
    const watched = this.#topics.get(topic) ?? {
      watchers: 0,
      changed: new Map(),
      isCrowded: this.#options.roster.count(topic) > maxListedMembers,
      toldCountAtMs: 0,
    };
    this.#topics.set(topic, watched);
    watched.watchers += 1;
    return () => {
      watched.watchers -= 1;
      if (watched.watchers > 0) return;
      this.#topics.delete(topic);
      this.#due.delete(topic);
    };
  }

  /** A user has come or gone. */
  changed(topic: string, uid: string, isHere: boolean): void {
    const watched = this.#topics.get(topic);
    if (watched === undefined) return;
    if (!watched.changed.has(uid)) watched.changed.set(uid, !isHere);
    this.#due.add(topic);
  }

  /** Tells what is due. */
  tell(nowMs: number): void {
    for (const topic of this.#due) this.#tell(topic, nowMs);
  }

  /** The answer to a client that asks who is there: what is told later goes on from it. */
  answer(re: string, topic: string, nowMs: number): string {
    this.#tell(topic, nowMs);
    const { roster, maxBytes } = this.#options;
    return presenceOkFrame(re, topicPresence(roster, topic), maxBytes);
  }

  #tell(topic: string, nowMs: number): void {
    const { roster, publish, maxBytes } = this.#options;
    const watched = this.#topics.get(topic);
    if (watched === undefined || watched.changed.size === 0) return;
    const count = roster.count(topic);
    watched.isCrowded = count > (watched.isCrowded ? namedAgain : maxListedMembers);
    if (watched.isCrowded) {
      if (nowMs - watched.toldCountAtMs < countEveryMs) return;
      watched.toldCountAtMs = nowMs;
      watched.changed.clear();
      this.#due.delete(topic);
      this.told += 1;
      return publish(watchedName(topic), countFrame(topic, count));
    }
    const joined: PresentTogether[] = [];
    const left: string[] = [];
    for (const [uid, wasHere] of watched.changed) {
      const user = roster.user(topic, uid);
      if (user !== undefined && !wasHere) joined.push(user);
      if (user === undefined && wasHere) left.push(fromUid(uid));
    }
    watched.changed.clear();
    this.#due.delete(topic);
    if (joined.length === 0 && left.length === 0) return;
    this.told += 1;
    publish(watchedName(topic), presenceFrame(topic, joined.map(presentUser), left, count, maxBytes));
  }
}
