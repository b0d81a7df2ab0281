import { randomBytes } from 'node:crypto';
import type { Delivery, Publisher } from '@evenkeel/broker';
import {
  copyKey,
  exchanges,
  type PresenceAsk,
  type PresenceNews,
  presenceAsk,
  presenceKey,
  presenceNews,
  snapshotKey,
  type TopicPresence,
  toUid,
  type UserPresence,
  whoKey,
} from '@evenkeel/protocol';
import { readJson } from '../json.js';
import type { OwnQueue, OwnQueueOptions } from '../own-queue.js';
import { isSentTo, maySpeakFor } from '../sender.js';
import { Copies, type CopiesOptions, sourceOf } from './copies.js';
import { Roster } from './roster.js';
import { Silence } from './silence.js';
import { topicPresence, userPresence } from './told.js';
import { Waiting } from './waiting.js';

/** Messages waiting at most; the oldest go first, which makes a hole. */
const maxWaiting = 10_000;
const sweepMs = 250;
/** A sweep that comes this much late tells of this process, not of the others. */
const lateMs = 1_000;
/** So long after it begins to hear, and an edge to hear itself, every edge has given a sign of life, ms: they do each second. */
const hearingMs = 1_500;
/** An edge whose members cannot be had is waited for so long at most, ms. */
const wholeMs = 5_000;
/** Longest wait for the answers of edges about one user, ms. */
const whoMs = 1_000;
/** Open questions about users at most. */
const maxQuestions = 1_000;
/** A question is of no use later, ms. */
const expiresMs = 5_000;

export interface PresenceCopyOptions {
  mesh: {
    /** That it logs in as. */
    readonly user: string | undefined;
    readonly publisher: Pick<Publisher, 'publish'>;
    ownQueue(options: Omit<OwnQueueOptions, 'isDurable'>): OwnQueue;
  };
  /** First part of its queue's name, which its user of the broker may declare: `api.presence`. */
  queue: string;
  /** Default: one of its own. */
  roster?: Roster;
  /** Of an edge, which gives a sign of life each second: what it has itself, and what it is asked. */
  own?: {
    readonly node: string;
    readonly boot: string;
    /** Sessions of a user here. */
    sessionsOf(uid: string): [sid: string, since: number][];
    onAsk(ask: PresenceAsk): void;
    /** Another edge has told of a session that it has it now. */
    onEntered: NonNullable<CopiesOptions['onEntered']>;
  };
  /** Ms that take no step. Default `performance.now`. */
  now?(): number;
}

interface Question {
  readonly expected: Set<string>;
  readonly sessions: { readonly session: string; readonly node: string; readonly since: number }[];
  finish(): void;
}

/**
 * A copy of who is in which topic of the mesh, kept while it is started. What it does not hear, for its broker is away or lets nobody
 * publish, it takes to be as it was.
 */
export class PresenceCopy {
  readonly roster: Roster;
  readonly copies: Copies;
  /** By which edges answer it. */
  readonly id = randomBytes(9).toString('base64url');
  /** Messages that were read. */
  heard = 0;
  readonly #options: PresenceCopyOptions;
  readonly #queue: OwnQueue;
  readonly #questions = new Map<string, Question>();
  /** Asked for while building, so that its connection is opened. */
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #now: () => number;
  readonly #silence: Silence;
  #isHearing = true;
  #hearsSinceMs = Number.POSITIVE_INFINITY;
  readonly #complete = new Waiting();
  #sweeping: NodeJS.Timeout | undefined;
  #asks = 0;

  /** Touches nothing: {@link PresenceCopy.start} does. Make it while building, before the mesh is started. */
  constructor(options: PresenceCopyOptions) {
    const { mesh, queue, own, roster = new Roster(), now = () => performance.now() } = options;
    this.#options = options;
    this.#publisher = mesh.publisher;
    this.#now = now;
    this.#silence = new Silence({ hasOwn: own !== undefined });
    this.roster = roster;
    this.copies = new Copies({
      roster,
      ask: (node, boot) => this.#publish(snapshotKey(node), { t: 'snapshot', to: this.id, boot }),
      ...(own && { onEntered: own.onEntered }),
    });
    const asked = own === undefined ? [] : [snapshotKey(own.node), whoKey];
    this.#queue = mesh.ownQueue({
      name: queue,
      arguments: { 'x-max-length': maxWaiting, 'x-overflow': 'drop-head' },
      bindings: [presenceKey('*'), copyKey(this.id), ...asked].map((key) => ({
        exchange: exchanges.presence,
        key,
      })),
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onLost: () => {
        this.#isHearing = false;
      },
      onRemade: () => {
        this.#isHearing = true;
        this.#hearsAgain(this.#now());
      },
    });
  }

  /** True, or what keeps it from hearing. */
  readiness(): true | string {
    return this.#queue.readiness();
  }

  /** True, or what it has not heard yet of who is there. */
  completeness(): true | string {
    const isHearing = this.readiness();
    if (isHearing !== true) return isHearing;
    const { own } = this.#options;
    const nowMs = this.#now();
    if (nowMs < this.#hearsSinceMs + hearingMs) return 'edges have not all been heard of yet';
    if (own !== undefined && this.#silence.isBlocked(nowMs))
      return 'what edges publish does not come through at present';
    if (own === undefined && this.copies.size === 0) return 'no edge is heard of';
    const behind = [...this.copies.sources()].find(({ isWhole }) => !isWhole);
    return behind === undefined ? true : `who is on ${behind.node} has not been told yet`;
  }

  /** It has been complete once: what it says is not the beginning of what it will know. */
  get hasBeenComplete(): boolean {
    return this.#complete.isOver;
  }

  /** Resolves when it has been complete once, or cannot be within 5 s from when it hears, or after `timeoutMs`. */
  async whenComplete(timeoutMs: number): Promise<void> {
    await this.#complete.wait(timeoutMs);
  }

  /** Resolves when it hears; see {@link PresenceCopy.whenComplete}. */
  async start(signal?: AbortSignal): Promise<void> {
    let dueAtMs = this.#now() + sweepMs;
    this.#sweeping = setInterval(() => {
      const nowMs = this.#now();
      const isLate = nowMs - dueAtMs > lateMs;
      dueAtMs = nowMs + sweepMs;
      // What has come meanwhile is read before anybody is taken for dead.
      if (isLate) this.#hearsAgain(nowMs);
      else if (this.#silence.isBlocked(nowMs)) this.copies.excuse(nowMs);
      if (this.#isHearing) this.copies.sweep(nowMs);
      if (nowMs > this.#hearsSinceMs + wholeMs || this.completeness() === true) this.#complete.end();
    }, sweepMs);
    await this.#queue.start(signal);
    // An edge begins to hear with itself: while publishing is blocked nothing comes.
    if (this.#options.own === undefined) this.#hearsSinceMs = this.#now();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeping);
    this.#complete.end();
    for (const question of [...this.#questions.values()]) question.finish();
    await this.#queue.stop();
  }

  /** Who is in this topic, as far as it is known here. */
  of(topic: string): TopicPresence {
    return topicPresence(this.roster, topic);
  }

  /**
   * Whether the user is online, on how many sessions, and since when: every edge is asked. Never rejects.
   * @throws NameError where it is no user id
   */
  async user(user: string): Promise<UserPresence> {
    const uid = toUid(user);
    const { own } = this.#options;
    const here = (own?.sessionsOf(uid) ?? []).map(([session, since]) => ({
      session,
      since,
      node: own?.node ?? '',
    }));
    const expected = new Set([...this.copies.sources()].map(({ node, boot }) => sourceOf(node, boot)));
    if (expected.size === 0) return userPresence(user, here, this.completeness() === true);
    if (this.#questions.size >= maxQuestions) return userPresence(user, here, false);
    this.#asks += 1;
    const ask = `${this.#asks}`;
    const question = await new Promise<Question>((resolve) => {
      const timer = setTimeout(() => open.finish(), whoMs);
      const open: Question = {
        expected,
        sessions: here,
        finish: () => {
          clearTimeout(timer);
          this.#questions.delete(ask);
          resolve(open);
        },
      };
      this.#questions.set(ask, open);
      this.#publish(whoKey, { t: 'who', to: this.id, ask, uid });
    });
    return userPresence(user, question.sessions, question.expected.size === 0);
  }

  #onDelivery(delivery: Delivery): void {
    delivery.ack();
    this.heard += 1;
    if (!isSentTo(delivery, exchanges.presence)) return;
    const { key, properties } = delivery;
    const value = readJson(delivery.body);
    const { own } = this.#options;
    if (own !== undefined && (key === whoKey || key === snapshotKey(own.node))) {
      const ask = presenceAsk.safeParse(value);
      // Its own question it answers itself.
      if (ask.success && ask.data.to !== this.id) own.onAsk(ask.data);
      return;
    }
    const news = presenceNews.safeParse(value);
    if (!news.success || !maySpeakFor({ user: properties.userId }, news.data.node)) return;
    if (key !== copyKey(this.id) && key !== presenceKey(news.data.node)) return;
    this.#onNews(news.data);
  }

  #onNews(news: PresenceNews): void {
    const { own } = this.#options;
    const nowMs = this.#now();
    const isOwn = news.node === own?.node && news.boot === own.boot;
    this.#silence.heard(isOwn, nowMs);
    if (isOwn) {
      this.#hearsSinceMs = Math.min(this.#hearsSinceMs, nowMs);
      return;
    }
    if (news.t !== 'sessions') return this.copies.take(news, nowMs);
    const question = this.#questions.get(news.ask);
    if (!question?.expected.delete(sourceOf(news.node, news.boot))) return;
    for (const [session, since] of news.sessions) question.sessions.push({ session, node: news.node, since });
    if (question.expected.size === 0) question.finish();
  }

  /** It was this process that did not hear. */
  #hearsAgain(nowMs: number): void {
    this.copies.excuse(nowMs);
    this.#silence.begin(nowMs);
  }

  #publish(key: string, ask: PresenceAsk): void {
    const publisher = this.#publisher;
    const { user: userId } = this.#options.mesh;
    const properties = { contentType: 'application/json', expiration: expiresMs, persistent: false, userId };
    // What is lost is asked again.
    publisher.publish(exchanges.presence, key, JSON.stringify(ask), properties).catch(() => {});
  }
}
