import { createMetrics } from '@evenkeel/runtime';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Placer } from './placement/placer.js';

/** What a gateway counts. */
export class GatewayMetrics {
  readonly registry: Registry = createMetrics({ service: 'gateway' });
  readonly #placed = new Counter({
    name: 'evenkeel_gateway_placed_total',
    help: 'Tickets issued, by the edge they are for',
    labelNames: ['to'],
    registers: [this.registry],
  });
  readonly #refused = new Counter({
    name: 'evenkeel_gateway_refused_total',
    help: 'Clients told to come back later, by reason: none, full, wait',
    labelNames: ['reason'],
    registers: [this.registry],
  });

  placed(node: string): void {
    this.#placed.inc({ to: node });
  }

  refused(reason: string): void {
    this.#refused.inc({ reason });
  }

  /** Shows what placement decides by. */
  watch(placer: Placer, now: () => number): void {
    const registers = [this.registry];
    const perNode = (
      name: string,
      help: string,
      of: (node: ReturnType<Placer['snapshot']>['nodes'][number]) => number,
    ) =>
      new Gauge({
        name,
        help,
        labelNames: ['to'],
        registers,
        collect() {
          this.reset();
          for (const node of placer.snapshot(now()).nodes) this.set({ to: node.node }, of(node));
        },
      });
    perNode('evenkeel_gateway_reserved', 'Clients under way to an edge', (n) => n.reserved);
    perNode('evenkeel_gateway_handshake_ceiling', 'Clients a second sent at most', (n) => n.handshakeCeiling);
    new Gauge({
      name: 'evenkeel_gateway_waiting',
      help: 'Clients told a second to come back at that has not come yet',
      registers,
      collect() {
        this.set(placer.snapshot(now()).waiting);
      },
    });
  }
}
