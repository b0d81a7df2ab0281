import { type Ops, observeCounter, observeCounters, observeGauge } from '@evenkeel/runtime';
import type { EdgeAccess } from './access.js';
import type { Authorizations } from './authorizations.js';

export interface AccessSources {
  readonly access: Pick<EdgeAccess, 'forbidden' | 'takenAway' | 'refreshes' | 'outlived' | 'size'>;
  readonly authorizations: Pick<Authorizations, 'counts' | 'size'>;
}

/** What Prometheus reads of who may do what. */
export function accessMetrics(metrics: Ops['metrics'], { access, authorizations }: AccessSources): void {
  const counters = observeCounters.bind(undefined, metrics);
  counters('evenkeel_forbidden_total', 'Frames refused because the user may not do it', 'action', () =>
    Object.entries(access.forbidden),
  );
  counters('evenkeel_unsubscribed_total', 'Topics taken away from clients', 'reason', () =>
    Object.entries(access.takenAway),
  );
  counters('evenkeel_refreshes_total', 'New tokens brought by clients, by what came of them', 'outcome', () =>
    Object.entries(access.refreshes),
  );
  counters(
    'evenkeel_authorizations_total',
    'Questions to services and the hook, and their answers',
    'outcome',
    () => authorizations.counts,
  );
  observeCounter(
    metrics,
    'evenkeel_token_expired_total',
    'Sockets closed because their tokens had expired',
    () => access.outlived,
  );
  observeGauge(
    metrics,
    'evenkeel_grant_sets',
    'Distinct sets of grants that are known',
    () => access.size.sets,
  );
  observeGauge(metrics, 'evenkeel_authorizations_kept', 'Answers remembered', () => authorizations.size);
}
