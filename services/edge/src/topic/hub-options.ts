import type { IsEdge, Mesh } from '@evenkeel/mesh';
import type { GapReason } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Follower } from '../trace/follower.js';
import type { NamePace } from './name-pace.js';

/**
 * Topic messages waiting in the broker for this edge, and their bytes, the oldest of which is dropped beyond it, which is told; and those
 * under way to it.
 */
export const queueLimits = { maxLength: 50_000, maxBytes: 268_435_456, prefetch: 512 };

export interface HubOptions {
  mesh: Pick<Mesh, 'ownQueue' | 'publisher'>;
  node: string;
  boot: string;
  /** Longest frame of a message; a longer one becomes a gap. */
  maxEventBytes: number;
  /** Whose word on the sender of a message counts. */
  isEdge: IsEdge;
  /** Sends a frame to every local subscriber of exactly this name of a topic or pattern, but for those that are served one by one. */
  publish(name: string, frame: string): void;
  /** Topics and patterns whose messages come from a stream: {@link TopicHub.deliver}. */
  streamed?: { has(name: string): boolean };
  /** So many subscribers have been told that messages are missing. */
  onGap(reason: GapReason, subscribers: number): void;
  /** Another edge's marker has come, between the messages: these sessions leave that edge, maybe for this one. */
  onMark(mark: string, sessions: readonly string[]): void;
  /** When a topic may be bound that this edge does not have yet. */
  pace: Pick<NamePace, 'turn'>;
  /** Whether no binding of topics had gone, at a moment after the call; false: that was not shown in this time. */
  areBound(timeoutMs: number): Promise<boolean>;
  /** There only while somebody looks. */
  following?: Pick<Follower, 'fannedOut'> | undefined;
  /** Ms since the epoch. */
  now: () => number;
  log: Log;
  /** For tests: a small queue, and the clock that markers are timed by. */
  limits?: typeof queueLimits;
  monotonicNow?: () => number;
}
