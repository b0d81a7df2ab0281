import { createPublisher } from '@evenkeel/publisher';
import { clock } from './clock.js';
import type { NumberedEvent } from './messages.js';
import { until } from './until.js';

export interface NumberedPublisherOptions {
  readonly amqpUrl: string;
  readonly users: readonly string[];
  /** Events a second over all users. */
  readonly ratePerSecond: number;
  /** Which user is next: an index. Default: at random, all alike. */
  readonly pick?: () => number;
  /** Events survive a restart of the broker, which doubles what they cost it. Default true. */
  readonly persistent?: boolean;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** What was published, as far as is known now. */
export interface PublishedCounts {
  readonly sent: number;
  readonly confirmed: number;
  /** Confirmed, but no queue took it: its user had no session. */
  readonly unrouted: number;
  /** Neither confirmed nor known to be refused: they may come or not. */
  readonly failed: number;
  /** The last sequence number of each user. */
  readonly perUser: Uint32Array;
  readonly firstFailure: string | undefined;
}

/** Publishes events that are numbered from 1 for each user, at a steady pace, until it is stopped. */
export interface NumberedPublisher {
  counts(): PublishedCounts;
  /** Publishes no more; resolves when every event is settled, or after `timeoutMs`. */
  finish(timeoutMs?: number): Promise<PublishedCounts>;
  /** Ends without waiting for what is under way. */
  stop(): Promise<void>;
}

const tickMs = 5;
/** Unsettled events at most: beyond it the pace drops, which `counts` shows. */
const maxUnsettled = 5_000;

export async function startNumberedPublisher(options: NumberedPublisherOptions): Promise<NumberedPublisher> {
  const { amqpUrl, users, ratePerSecond, random = Math.random, persistent = true } = options;
  const pick = options.pick ?? (() => Math.floor(random() * users.length));
  const publisher = await createPublisher({ amqpUrl, name: 'numbered', attempts: 3 });
  const perUser = new Uint32Array(users.length);
  const totals = { sent: 0, confirmed: 0, unrouted: 0, failed: 0 };
  let firstFailure: string | undefined;
  let isOpen = true;

  const send = (): void => {
    const n = pick();
    const k = (perUser[n] ?? 0) + 1;
    perUser[n] = k;
    totals.sent++;
    const event: NumberedEvent = { n, k, at: clock() };
    publisher.toUser(users[n] ?? '', 'numbered', event, { persistent }).then(
      ({ routed }) => {
        totals.confirmed++;
        if (!routed) totals.unrouted++;
      },
      (error: unknown) => {
        totals.failed++;
        firstFailure ??= String(error);
      },
    );
  };
  const begunAtMs = performance.now();
  let skipped = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begunAtMs) / 1_000) * ratePerSecond) - skipped;
    while (totals.sent < due && totals.sent - totals.confirmed - totals.failed < maxUnsettled) send();
    // What could not be sent in its time is left out, not made up for in a burst.
    skipped += Math.max(0, due - totals.sent);
  }, tickMs);

  const counts = (): PublishedCounts => ({ ...totals, perUser, firstFailure });
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    if (!isOpen) return;
    isOpen = false;
    await publisher.close();
  };
  return {
    counts,
    async finish(timeoutMs = 10_000) {
      clearInterval(timer);
      await until(timeoutMs, 20, () => totals.confirmed + totals.failed === totals.sent);
      return counts();
    },
    stop,
  };
}
