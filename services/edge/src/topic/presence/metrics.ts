import { type Ops, observeCounter, observeGauge } from '@evenkeel/runtime';
import type { EdgePresence } from './presence.js';
import type { PresenceQuestions } from './questions.js';

export interface PresenceSources {
  readonly presence: Pick<EdgePresence, 'members' | 'copy' | 'roster' | 'watchers' | 'sent'>;
  readonly presenceQuestions: Pick<PresenceQuestions, 'answered'>;
}

/** What Prometheus reads of who is where. */
export function presenceMetrics(metrics: Ops['metrics'], sources: PresenceSources): void {
  const { presence, presenceQuestions } = sources;
  const counter = observeCounter.bind(undefined, metrics);
  const gauge = observeGauge.bind(undefined, metrics);
  gauge(
    'evenkeel_presence_members',
    'Sessions here in topics whose members are told',
    () => presence.members.size,
  );
  counter(
    'evenkeel_presence_refused_total',
    'Sessions in topics that are not told of: EVENKEEL_MAX_PRESENT was reached',
    () => presence.members.refused,
  );
  gauge(
    'evenkeel_presence_topics',
    'Topics in which somebody is, in the whole mesh',
    () => presence.roster.topics,
  );
  gauge(
    'evenkeel_presence_watched',
    'Topics whose members clients here are told',
    () => presence.watchers.size,
  );
  gauge('evenkeel_presence_copies', 'Other edges whose members are known', () => presence.copy.copies.size);
  counter(
    'evenkeel_presence_sent_total',
    'Messages about members sent to others',
    () => presence.sent.messages,
  );
  counter('evenkeel_presence_sent_bytes_total', 'Bytes of them', () => presence.sent.bytes);
  counter(
    'evenkeel_presence_heard_total',
    'Messages about members that have come',
    () => presence.copy.heard,
  );
  counter(
    'evenkeel_presence_snapshots_total',
    'Times that all members of an edge were asked for, since something of it was missed',
    () => presence.copy.copies.asked,
  );
  counter(
    'evenkeel_presence_frames_total',
    'Frames about members, one for all who watch a topic here',
    () => presence.watchers.told,
  );
  counter(
    'evenkeel_presence_questions_total',
    'Questions of applications answered',
    () => presenceQuestions.answered,
  );
}
