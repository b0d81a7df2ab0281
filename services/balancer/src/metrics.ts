import { type Ops, observeCounter, observeGauge } from '@evenkeel/runtime';
import { Counter } from 'prom-client';
import type { Balancer } from './core/balancer.js';
import type { Guardian } from './sessions/guardian.js';

/** What a balancer counts as it goes. */
export interface BalancerMetrics {
  /** A management command has been answered; `outcome`: `ok`, or the code of the error. */
  answered(command: string, outcome: string): void;
  /** A management message could not be answered. */
  deadLettered(): void;
}

/** What Prometheus reads of a balancer: its state at the time of the scrape, and the commands that it has answered. */
export function balancerMetrics(metrics: Ops['metrics'], balancer: Balancer): BalancerMetrics {
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
  const gauge = (name: string, help: string, read: () => number) => observeGauge(metrics, name, help, read);
  gauge('evenkeel_balancer_leading', '1 on the balancer that leads', () => (balancer.isLeading ? 1 : 0));
  gauge('evenkeel_balancer_nodes', 'Nodes in the view', () => balancer.view.size);
  gauge('evenkeel_balancer_plan_total', 'Moves of the running plan', () => balancer.run?.plan.total ?? 0);
  gauge('evenkeel_balancer_plan_done', 'Moves of the running plan that are done', () =>
    (balancer.run?.progress() ?? []).reduce((sum, step) => sum + step.done, 0),
  );
  gauge(
    'evenkeel_balancer_plan_rate',
    'Moves a second allowed at present',
    () => balancer.run?.ratePerSecond() ?? 0,
  );
  return {
    answered: (command, outcome) => commands.inc({ command, outcome }),
    deadLettered: () => deadLettered.inc(),
  };
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
