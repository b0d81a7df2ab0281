import { LogLimit } from '@evenkeel/pace';
import { type GapReason, gapReasons } from '@evenkeel/protocol';
import { Counts, slowSeconds, Tally } from '@evenkeel/runtime';
import { PublishDelays } from './publish-delay.js';

/** Recent handshakes whose times are kept for the percentile. */
const keptHandshakes = 1_024;
/** One in so many ms is logged. */
const unfencedLogMs = 10_000;
/** Part of a moving average that the last second makes up. */
const newPart = 0.3;

/** What was refused for: too many frames, bytes, or bytes that the broker does not have yet; topics, new tokens, histories to read. */
export type RefusedFor = 'frames' | 'bytes' | 'waiting' | 'topics' | 'refreshes' | 'histories';
/** What can never be carried: data nested too deep, or an id of too many bytes. */
export type NeverCarried = 'depth' | 'idBytes';

/** How a session came here: it did not exist, its connection was lost or has been replaced, or it was moved here. */
type AttachKind = 'new' | 'resumed' | 'moved';

/** `isResumed`: its queue was there. */
export function attachKind({ move }: { readonly move?: string | undefined }, isResumed: boolean): AttachKind {
  if (move !== undefined) return 'moved';
  return isResumed ? 'resumed' : 'new';
}

/** How an answer in parts has ended: as its service says, or because nothing came of it, or it could not go on, or the client has had enough. */
const streamEnds = ['done', 'failed', 'timed-out', 'too-large', 'refused', 'cancelled'] as const;
export type StreamEnd = (typeof streamEnds)[number];

/** Running counts of answers in parts. */
export class StreamLoad {
  parts = 0;
  readonly ends = Counts.of([...streamEnds]);

  ended(how: StreamEnd): void {
    this.ends.add(how);
  }
}

/** Running counts of what all sessions do; statistics read and difference them once a second. */
export class Load {
  delivered = 0;
  received = 0;
  welcomed = 0;
  /** Gaps told to clients, by reason. */
  readonly gaps = Counts.of(Object.values(gapReasons));
  /** From a client's hello to its welcome, s. */
  readonly attached: Readonly<Record<AttachKind, Tally>> = {
    new: new Tally(slowSeconds),
    resumed: new Tally(slowSeconds),
    moved: new Tally(slowSeconds),
  };
  /** Subscriptions refused because the session had as many topics as one may have. */
  topicLimits = 0;
  readonly streams = new StreamLoad();
  readonly publishDelays = new PublishDelays();
  /** Frames that were not taken, by what there was too much of. */
  readonly refused: Record<RefusedFor, number> = {
    frames: 0,
    bytes: 0,
    waiting: 0,
    topics: 0,
    refreshes: 0,
    histories: 0,
  };
  /** Frames that can never be carried. */
  readonly neverCarried: Record<NeverCarried, number> = { depth: 0, idBytes: 0 };
  /** Connections closed because they went on. */
  offenders = 0;
  /** Sessions that moved before all topic messages were seen to be sent to them; their topics were told a gap. */
  unfenced = 0;
  #handshakes: number[] = [];
  readonly #unfencedLog = new LogLimit(unfencedLogMs);

  /** @returns how many were not logged before it, where it is to be logged; undefined: there are too many to log. */
  movedUnfenced(nowMs: number): number | undefined {
    this.unfenced += 1;
    return this.#unfencedLog.pass(nowMs);
  }

  /** So many clients have been told a gap. */
  toldGap(reason: GapReason, clients = 1): void {
    this.gaps.add(reason, clients);
  }

  metTopicLimit(): void {
    this.topicLimits += 1;
  }

  /** A session has been welcomed at `nowMs`; its hello came at `beganAtMs`, and `own` is active since its topics were there. */
  handshake(kind: AttachKind, own: SessionLoad, nowMs: number, beganAtMs: number): void {
    this.welcomed += 1;
    this.attached[kind].add((nowMs - beganAtMs) / 1_000);
    if (this.#handshakes.length < keptHandshakes) this.#handshakes.push(nowMs - own.activeAtMs);
    own.active(nowMs);
  }

  /** 99th percentile of the handshakes since the last call, ms; 0 when there were none. */
  takeHandshakeP99(): number {
    const sorted = this.#handshakes.sort((a, b) => a - b);
    this.#handshakes = [];
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
  }
}

/** What one session costs, for who has to pick some. */
export class SessionLoad {
  /** When an event was last written, ms: the idle go first. */
  activeAtMs = 0;
  /** Moving averages. */
  eventsPerSecond = 0;
  bytesPerSecond = 0;
  #recentEvents = 0;
  #recentBytes = 0;

  /** An event of so many bytes was written. */
  wrote(bytes: number, nowMs: number): void {
    this.#recentEvents += 1;
    this.#recentBytes += bytes;
    this.activeAtMs = nowMs;
  }

  /** It has something to do other than events. */
  active(nowMs: number): void {
    this.activeAtMs = nowMs;
  }

  /** To be called once a second. */
  sample(): void {
    this.eventsPerSecond = this.eventsPerSecond * (1 - newPart) + this.#recentEvents * newPart;
    this.bytesPerSecond = this.bytesPerSecond * (1 - newPart) + this.#recentBytes * newPart;
    this.#recentEvents = 0;
    this.#recentBytes = 0;
  }
}
