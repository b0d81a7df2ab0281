import type { QueueSpec } from '@evenkeel/broker';
import { fnv1a } from '@evenkeel/pace';
import { exchanges, sessionQueue } from '@evenkeel/protocol';

/** Share of the lifetime by which queues of different sessions expire later, so that a crash is no delete storm. */
const expirySpread = 0.1;
/** By so much the queue outlives its session at least, ms: edges end sessions, and this is the net under them. */
const graceMs = 60_000;

/**
 * A session's queue as it is declared. The jitter of its expiry is a function of its name: a second declaration
 * with another value would be refused (406).
 */
export function queueSpec(
  uid: string,
  sid: string,
  lifetimeMs: number,
  maxLength: number,
  generation = 0,
): QueueSpec {
  return specWith(sessionQueue(uid, sid, generation), {
    'x-expires': lifetimeMs + jitterMs(sid, lifetimeMs) + graceMs,
    // The seal is one more.
    'x-max-length': maxLength + 1,
    'x-dead-letter-exchange': exchanges.dropped,
  });
}

/** The same as edges declared it before there were seals. */
export function olderQueueSpec(uid: string, sid: string, lifetimeMs: number, maxLength: number): QueueSpec {
  return specWith(sessionQueue(uid, sid), {
    'x-expires': lifetimeMs + jitterMs(sid, lifetimeMs),
    'x-message-ttl': lifetimeMs,
    'x-max-length': maxLength,
  });
}

const specWith = (name: string, limits: Record<string, unknown>): QueueSpec => ({
  name,
  durable: true,
  arguments: {
    'x-queue-type': 'classic',
    'x-single-active-consumer': true,
    'x-overflow': 'drop-head',
    ...limits,
  },
});

const jitterMs = (sid: string, lifetimeMs: number): number =>
  Math.floor(lifetimeMs * expirySpread * fraction(sid));

/** A number from 0 to 1 that is always the same for the same id. */
const fraction = (id: string): number => fnv1a(id) / 2 ** 32;
