import { countByState, type StatedNode } from '@evenkeel/cluster';
import { type Ops, observeGauge, observeGauges } from '@evenkeel/runtime';
import { Counter, Histogram } from 'prom-client';

/** What placement decides by. */
interface PlacementView {
  readonly nodes: readonly (StatedNode & {
    readonly node: string;
    readonly reserved: number;
    readonly handshakeCeiling: number;
    readonly clockAheadMs: number;
  })[];
  readonly waiting: number;
}

interface GatewaySources {
  view(): PlacementView;
  /** For how long no node has been heard; undefined: one is. Of several cells the longest. */
  silentMs(): number | undefined;
}

/** What a gateway counts as it goes. */
export interface GatewayMetrics {
  placed(node: string): void;
  /** Nothing is known of this node any more: its name does not stay as a label. */
  forget(node: string): void;
  /** `reason`: `none`, `full` or `wait`. */
  refused(reason: string): void;
  /** A request that was answered before its user was looked at or placed. `reason`: the limit or rule that it met. */
  rejected(reason: string): void;
  /** A new token of an open socket. `outcome`: `refreshed`, `refused` or `undecided`. */
  refreshed(outcome: string): void;
  /** A request to `/gateway` was answered. */
  answered(status: number, tookMs: number): void;
  /** A request of which it is not known who asks. `code`: of the answer. */
  unauthenticated(code: string): void;
}

/** What Prometheus reads of a gateway: what placement decides by, at the time of the scrape, and what came of it. */
export function gatewayMetrics(metrics: Ops['metrics'], { view, silentMs }: GatewaySources): GatewayMetrics {
  const placed = new Counter({
    name: 'evenkeel_gateway_placed_total',
    help: 'Tickets issued, by the edge they are for',
    labelNames: ['to'],
    registers: [metrics],
  });
  const refused = new Counter({
    name: 'evenkeel_gateway_refused_total',
    help: 'Clients told to come back later, by reason: none, full, wait',
    labelNames: ['reason'],
    registers: [metrics],
  });
  const rejected = new Counter({
    name: 'evenkeel_gateway_rejected_total',
    help: 'Requests refused before placement, by reason: address, user, origin, cookie, denied; connections closed: connections',
    labelNames: ['reason'],
    registers: [metrics],
  });
  const refreshed = new Counter({
    name: 'evenkeel_gateway_refreshes_total',
    help: 'New tokens of open sockets, by outcome: refreshed, refused, undecided (keys not to be had)',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  const unauthenticated = new Counter({
    name: 'evenkeel_gateway_unauthenticated_total',
    help: 'Requests whose credentials were not accepted, by the code of the answer',
    labelNames: ['code'],
    registers: [metrics],
  });
  const answered = new Histogram({
    name: 'evenkeel_gateway_request_seconds',
    help: 'From a request for a place to its answer, by the class of its status: 2xx, 4xx, 5xx',
    labelNames: ['status'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [metrics],
  });
  const nodes = () => view().nodes;
  observeGauges(metrics, 'evenkeel_gateway_nodes', 'Edges that this gateway knows, by state', 'state', () =>
    countByState(nodes()),
  );
  observeGauges(metrics, 'evenkeel_gateway_reserved', 'Clients under way to an edge', 'to', () =>
    nodes().map(({ node, reserved }) => [node, reserved]),
  );
  observeGauges(metrics, 'evenkeel_gateway_handshake_ceiling', 'Clients a second sent at most', 'to', () =>
    nodes().map(({ node, handshakeCeiling }) => [node, handshakeCeiling]),
  );
  observeGauges(
    metrics,
    'evenkeel_gateway_node_clock_ahead_seconds',
    'How far the clock of an edge is ahead of the median of all',
    'to',
    () => nodes().map(({ node, clockAheadMs }) => [node, clockAheadMs / 1_000]),
  );
  observeGauge(
    metrics,
    'evenkeel_gateway_silent_seconds',
    'For how long no edge at all has been heard, in the cell where it is longest; 0 while one is',
    () => (silentMs() ?? 0) / 1_000,
  );
  observeGauge(
    metrics,
    'evenkeel_gateway_waiting',
    'Clients told a second to come back at that has not come yet',
    () => view().waiting,
  );
  return {
    placed: (node) => placed.inc({ to: node }),
    forget: (node) => placed.remove({ to: node }),
    refused: (reason) => refused.inc({ reason }),
    answered: (status, tookMs) =>
      answered.observe({ status: `${Math.trunc(status / 100)}xx` }, tookMs / 1_000),
    refreshed: (outcome) => refreshed.inc({ outcome }),
    unauthenticated: (code) => unauthenticated.inc({ code }),
    rejected: (reason) => rejected.inc({ reason }),
  };
}
