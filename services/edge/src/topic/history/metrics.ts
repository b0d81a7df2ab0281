import { type Ops, observeCounter, observeGauge } from '@evenkeel/runtime';

/** What is measured of the histories of topics. */
export interface HistorySources {
  readonly topics: { readonly counts: Readonly<Record<'sent' | 'lost' | 'late', number>> };
  readonly history: { readonly streams: ReadonlyMap<string, Measurable> };
  readonly checks: { readonly missing: number };
}

interface Measurable {
  readonly behind: number;
  readonly asking: number;
  readonly tail: { readonly size: number; readonly bytes: number };
}

export function historyMetrics(metrics: Ops['metrics'], sources: { readonly history: HistorySources }): void {
  const sum = (of: (stream: Measurable) => number) => () => {
    let all = 0;
    for (const stream of sources.history.history.streams.values()) all += of(stream);
    return all;
  };
  const gauge = observeGauge.bind(undefined, metrics);
  const counter = observeCounter.bind(undefined, metrics);
  gauge(
    'evenkeel_history_tail_messages',
    'Messages of topics with history that are kept in memory',
    sum(({ tail }) => tail.size),
  );
  gauge(
    'evenkeel_history_tail_bytes',
    'Bytes of the messages of topics with history that are kept in memory',
    sum(({ tail }) => tail.bytes),
  );
  gauge(
    'evenkeel_history_behind_messages',
    'Messages of topics with history that are in RabbitMQ and not read here yet',
    sum(({ behind }) => behind),
  );
  gauge(
    'evenkeel_history_asking',
    'Subscribers who wait for messages that are older than what is kept in memory',
    sum(({ asking }) => asking),
  );
  counter(
    'evenkeel_history_past_total',
    'Messages sent that were published before: what subscribers asked for, and what they were too slow for',
    () => sources.history.topics.counts.sent,
  );
  counter(
    'evenkeel_history_lost_total',
    'Subscribers told that some of what they were to get is gone, after they had been told that it comes',
    () => sources.history.topics.counts.lost,
  );
  counter(
    'evenkeel_history_missing_total',
    'Messages that RabbitMQ before 4.0 had confirmed and not written to the history, as this edge saw it',
    () => sources.history.checks.missing,
  );
  counter(
    'evenkeel_history_late_total',
    'Times that a subscriber was too slow for a topic with history, and was sent it from there once it had caught up',
    () => sources.history.topics.counts.late,
  );
}
