import { countByState } from '@evenkeel/cluster';
import { type Ops, observeCounter, observeCounters, observeGauge, observeGauges } from '@evenkeel/runtime';
import { Counter } from 'prom-client';
import type { Asking } from './asking/asking.js';
import type { Balancer } from './core/balancer.js';
import { isHere } from './core/cluster/state.js';
import type { PastPlan } from './core/run/past-plan.js';
import { maxOverMean } from './core/totals.js';
import type { Guardian } from './sessions/guardian.js';

/** What a balancer counts as it goes. */
export interface BalancerMetrics {
  /** A management command has been answered; `outcome`: `ok`, or the code of the error. */
  answered(command: string, outcome: string): void;
  /** A management message could not be answered. */
  deadLettered(): void;
  /** A plan is over. */
  ended(plan: PastPlan): void;
}

/** What Prometheus reads of a balancer: its state at the time of the scrape, and what it has counted. */
export function balancerMetrics(
  metrics: Ops['metrics'],
  balancer: Balancer,
  now: () => number,
): BalancerMetrics {
  const commands = new Counter({
    name: 'evenkeel_balancer_commands_total',
    help: 'Management commands, by command and outcome (ok, or the code of the error)',
    labelNames: ['command', 'outcome'],
    registers: [metrics],
  });
  const deadLettered = new Counter({
    name: 'evenkeel_balancer_dead_lettered_total',
    help: 'Management messages that could not be answered',
    registers: [metrics],
  });
  viewMetrics(metrics, balancer, now);
  return {
    answered: (command, outcome) => commands.inc({ command, outcome }),
    deadLettered: () => deadLettered.inc(),
    ended: planMetrics(metrics, balancer),
  };
}

function viewMetrics(metrics: Ops['metrics'], balancer: Balancer, now: () => number): void {
  const nodes = () => balancer.view.nodes(now());
  observeGauge(metrics, 'evenkeel_balancer_leading', '1 on the balancer that leads', () =>
    balancer.isLeading ? 1 : 0,
  );
  observeGauge(
    metrics,
    'evenkeel_balancer_paused',
    '1: nothing is levelled until an operator resumes it',
    () => (balancer.automatic.isPaused ? 1 : 0),
  );
  observeGauges(metrics, 'evenkeel_balancer_nodes', 'Nodes in the view, by state', 'state', () =>
    countByState(
      nodes().map(({ phase, stats: { reachable, memory } }) => ({ state: phase, reachable, memory })),
    ),
  );
  observeGauge(
    metrics,
    'evenkeel_balancer_view_age_seconds',
    'Age of the oldest report among the nodes that are counted on',
    () => {
      const nowMs = now();
      return nodes()
        .filter(isHere)
        .reduce((oldest, { seenAtMs }) => Math.max(oldest, (nowMs - seenAtMs) / 1_000), 0);
    },
  );
  observeGauge(
    metrics,
    'evenkeel_balancer_load_max_over_mean',
    'Sessions by weight on the fullest node, by the mean of those that take any; 1: level',
    () => maxOverMean(nodes()) ?? 1,
  );
  observeCounters(
    metrics,
    'evenkeel_balancer_decisions_total',
    'What it has decided by itself, counted when that changes: a kind of plan, or why nobody is to move',
    'why',
    () => balancer.policy.decisions.counts,
  );
}

/** Returns what is to be called with each plan that is over. */
function planMetrics(metrics: Ops['metrics'], balancer: Balancer): (plan: PastPlan) => void {
  const gauge = observeGauge.bind(undefined, metrics);
  gauge('evenkeel_balancer_plan_moves', 'Moves of the running plan', () => balancer.run?.plan.total ?? 0);
  gauge('evenkeel_balancer_plan_moves_done', 'Moves of the running plan that are done', () =>
    (balancer.run?.progress() ?? []).reduce((sum, step) => sum + step.done, 0),
  );
  gauge(
    'evenkeel_balancer_plan_rate',
    'Moves a second allowed at present',
    () => balancer.run?.ratePerSecond() ?? 0,
  );
  const plans = new Counter({
    name: 'evenkeel_balancer_plans_total',
    help: 'Plans that are over, by kind and how they ended (done, partial, aborted)',
    labelNames: ['kind', 'outcome'],
    registers: [metrics],
  });
  const moves = new Counter({
    name: 'evenkeel_balancer_moves_total',
    help: 'Moves of plans that are over, by outcome: done, failed, timed-out, pinned (the front has brought the client back)',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  return ({ kind, state, done, failed, pinned, timedOut }) => {
    plans.inc({ kind, outcome: state });
    // Those that the front has brought back are part of those that failed.
    const counts = { done, failed: Math.max(0, failed - pinned), 'timed-out': timedOut, pinned };
    for (const [outcome, count] of Object.entries(counts)) moves.inc({ outcome }, count);
  };
}

/** What Prometheus reads of the questions of services to clients. */
export function askingMetrics(metrics: Ops['metrics'], asking: Asking): void {
  observeCounters(
    metrics,
    'evenkeel_balancer_asks_total',
    'Questions of services to clients, by what has come of them: `answered`, the code of the error, or `repeated`',
    'outcome',
    () => asking.counts,
  );
  observeGauge(metrics, 'evenkeel_balancer_asks_open', 'Questions that wait for answers', () => asking.open);
  observeCounter(
    metrics,
    'evenkeel_balancer_ask_answers_dropped_total',
    'Answers of clients that nobody waited for',
    () => asking.dropped,
  );
}

/** What Prometheus reads of a balancer's care for sessions of edges that are gone. */
export function guardianMetrics(metrics: Ops['metrics'], guardian: Guardian): void {
  const { register } = guardian;
  observeGauge(metrics, 'evenkeel_balancer_sessions', 'Sessions in the register', () => register.size);
  observeCounter(
    metrics,
    'evenkeel_balancer_sessions_overflowed_total',
    'Sessions not registered because there were too many',
    () => register.overflowed,
  );
  observeCounter(
    metrics,
    'evenkeel_balancer_sessions_offered_total',
    'Sessions of edges that are gone, offered to others',
    () => guardian.offered,
  );
}
