import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { burst, hearing, placer, stats } from '../testing/placing.js';
import { type GatewayMetrics, gatewayMetrics } from './metrics.js';

/** The lines of one metric. */
async function linesOf(registry: Registry, name: string): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

const ofPlacer = (p: ReturnType<typeof placer>, now = () => 0) => ({
  view: () => p.snapshot(now()),
  silentMs: () => p.silentMs(now()),
});

it('no label keeps the name of an edge that is gone, however many have come and gone', async () => {
  const registry = new Registry();
  let metrics: GatewayMetrics | undefined;
  let nowMs = 0;
  const p = placer({ forgotten: (node) => metrics?.forget(node) });
  metrics = gatewayMetrics(
    registry,
    ofPlacer(p, () => nowMs),
  );
  for (let n = 0; n < 50; n += 1) {
    p.observe(stats(`container-${n}`), nowMs);
    for (const node of burst(p, 3, nowMs, `u${n}.`)) metrics.placed(node);
    hearing(p, nowMs, nowMs + 20_000);
    nowMs += 20_000;
  }
  for (const name of ['placed_total', 'reserved', 'handshake_ceiling', 'node_clock_ahead_seconds']) {
    const lines = await linesOf(registry, `evenkeel_gateway_${name}`);
    // The last one, the one before it as long as it may come back, and the one that is heard all the time.
    expect(lines.length).toBeLessThanOrEqual(3);
  }
});

it('answers are counted by how long they took, in classes of status', async () => {
  const registry = new Registry();
  const metrics = gatewayMetrics(registry, ofPlacer(placer()));
  for (const [status, tookMs] of [
    [200, 1],
    [401, 30],
    [429, 0.1],
    [503, 2],
  ] as const)
    metrics.answered(status, tookMs);
  expect(await linesOf(registry, 'evenkeel_gateway_request_seconds_count')).toEqual([
    'evenkeel_gateway_request_seconds_count{status="2xx"} 1',
    'evenkeel_gateway_request_seconds_count{status="4xx"} 2',
    'evenkeel_gateway_request_seconds_count{status="5xx"} 1',
  ]);
  expect(await registry.metrics()).toContain('evenkeel_gateway_request_seconds_sum{status="4xx"} 0.0301');
});

it('edges are counted by state, those that clients do not reach apart', async () => {
  const registry = new Registry();
  const p = placer();
  gatewayMetrics(registry, ofPlacer(p));
  p.observe(stats('a'), 0);
  p.observe(stats('b', { state: 'cordoned', reachable: false }), 0);
  p.observe(stats('c', { state: 'cordoned', memory: { part: 0.9, of: 'heap', isLow: true } }), 0);
  const lines = await linesOf(registry, 'evenkeel_gateway_nodes');
  expect(lines.filter((line) => !line.endsWith(' 0'))).toEqual([
    'evenkeel_gateway_nodes{state="active"} 1',
    'evenkeel_gateway_nodes{state="unreachable"} 1',
    'evenkeel_gateway_nodes{state="low-memory"} 1',
  ]);
});

it('shows for how long no edge has been heard, and 0 while one is', async () => {
  const registry = new Registry();
  const p = placer();
  let nowMs = 1_000;
  gatewayMetrics(
    registry,
    ofPlacer(p, () => nowMs),
  );
  p.observe(stats('a'), 0);
  const silent = () => linesOf(registry, 'evenkeel_gateway_silent_seconds');
  expect(await silent()).toEqual(['evenkeel_gateway_silent_seconds 0']);
  nowMs = 20_000;
  expect(await silent()).toEqual(['evenkeel_gateway_silent_seconds 20']);
});
