import { createMetrics } from '@evenkeel/runtime';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Balancer } from './core/balancer.js';

/** What a balancer counts. */
export class BalancerMetrics {
  readonly registry: Registry = createMetrics({ service: 'balancer' });
  readonly commands = new Counter({
    name: 'evenkeel_balancer_commands_total',
    help: 'Management commands, by command and outcome (ok, or the code of the error)',
    labelNames: ['command', 'outcome'],
    registers: [this.registry],
  });
  readonly deadLettered = new Counter({
    name: 'evenkeel_balancer_dead_lettered_total',
    help: 'Management messages that could not be answered',
    registers: [this.registry],
  });

  constructor(balancer: Balancer) {
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
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
  }
}
