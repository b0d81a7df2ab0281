import { createPublisher } from '@evenkeel/publisher';
import { clock } from './clock.js';
import type { NumberedEvent, Numbering } from './messages.js';
import { steadily } from './steady.js';
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
  /** The module of the publisher's SDK. Default: this checkout's. */
  readonly sdk?: string;
}

/** What was published, as far as is known now. */
export interface PublishedCounts {
  readonly sent: number;
  readonly confirmed: number;
  /** Confirmed, but no queue took it: its user had no session, its topic no subscriber. */
  readonly unrouted: number;
  /** Neither confirmed nor known to be refused: they may come or not. */
  readonly failed: number;
  /** Which ones: of whom, and their sequence numbers. */
  readonly failures: readonly Numbering[];
  /** The last sequence number of each user (or topic). */
  readonly perNumber: Uint32Array;
  readonly firstFailure: string | undefined;
  /** When each of them was sent, where that is kept: `[number][sequence number - 1]`. */
  readonly sentAtMs: readonly (readonly number[])[];
}

/** Publishes events that are numbered from 1 for each user (or topic), at a steady pace, until it is stopped. */
export interface NumberedPublisher {
  counts(): PublishedCounts;
  /** Publishes no more; resolves when every event is settled, or after `timeoutMs`. */
  finish(timeoutMs?: number): Promise<PublishedCounts>;
  /** Ends without waiting for what is under way. */
  stop(): Promise<void>;
}

/** Unsettled events at most: beyond it the pace drops, which `counts` shows. */
const maxUnsettled = 5_000;

export async function startNumberedPublisher(options: NumberedPublisherOptions): Promise<NumberedPublisher> {
  const { amqpUrl, users, ratePerSecond, random = Math.random, persistent = true } = options;
  const create = options.sdk === undefined ? createPublisher : await creatorOf(options.sdk);
  const publisher = await create({ amqpUrl, name: 'numbered', attempts: 3 });
  return numbered({
    count: users.length,
    ratePerSecond,
    pick: options.pick ?? (() => Math.floor(random() * users.length)),
    send: async (event) => {
      const { routed } = await publisher.toUser(users[event.n] ?? '', 'numbered', event, { persistent });
      return routed;
    },
    close: () => publisher.close(),
  });
}

/** Another version's; what it takes and gives is what ours does. */
export async function creatorOf(sdk: string): Promise<typeof createPublisher> {
  return ((await import(sdk)) as { createPublisher: typeof createPublisher }).createPublisher;
}

interface Numbered {
  /** How many users, or topics. */
  readonly count: number;
  readonly ratePerSecond: number;
  readonly pick: () => number;
  /** Resolves when confirmed, with whether a queue took it. */
  readonly send: (event: NumberedEvent) => Promise<boolean>;
  readonly close: () => Promise<void>;
  /** Keep the time of each; for few. Default false. */
  readonly keepsTimes?: boolean;
}

/** What events to users and messages of topics have in common. */
export function numbered(options: Numbered): NumberedPublisher {
  const { count, ratePerSecond, pick, send, close, keepsTimes = false } = options;
  const perNumber = new Uint32Array(count);
  const sentAtMs: number[][] = keepsTimes ? Array.from({ length: count }, () => []) : [];
  const totals = { sent: 0, confirmed: 0, unrouted: 0, failed: 0 };
  const failures: Numbering[] = [];
  let firstFailure: string | undefined;
  let isOpen = true;
  const mayPass = () => totals.sent - totals.confirmed - totals.failed < maxUnsettled;
  const stopSending = steadily(ratePerSecond, mayPass, () => {
    const n = pick();
    const k = (perNumber[n] ?? 0) + 1;
    perNumber[n] = k;
    totals.sent++;
    const at = clock();
    sentAtMs[n]?.push(at);
    send({ n, k, at }).then(
      (isRouted) => {
        totals.confirmed++;
        if (!isRouted) totals.unrouted++;
      },
      (error: unknown) => {
        totals.failed++;
        failures.push([n, k]);
        firstFailure ??= String(error);
      },
    );
  });
  const counts = (): PublishedCounts => ({ ...totals, failures, perNumber, firstFailure, sentAtMs });
  return {
    counts,
    async finish(timeoutMs = 10_000) {
      stopSending();
      await until(timeoutMs, 20, () => totals.confirmed + totals.failed === totals.sent);
      return counts();
    },
    async stop() {
      stopSending();
      if (!isOpen) return;
      isOpen = false;
      await close();
    },
  };
}
