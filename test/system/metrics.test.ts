import type { Member } from '@evenkeel/local';
import { expect, it, vi } from 'vitest';
import { startTestMesh } from '../support/mesh.js';
import { complaintsOf } from '../support/promtool.js';

async function metricsOf({ opsUrl }: Member): Promise<string> {
  const response = await fetch(`${opsUrl}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

/** The values of a metric by the label `connection`. */
function byConnection(metrics: string, name: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(`${name}{`)) continue;
    const connection = /[{,]connection="([^"]*)"/.exec(line)?.[1] ?? '';
    values[connection] = Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return values;
}

it('promtool has nothing against the metrics of any service, they name no user, and show each connection to RabbitMQ', async () => {
  const mesh = await startTestMesh({ edges: 1, demo: true, crowd: 2, console: true, api: true });
  const { console } = mesh;
  if (console === undefined) throw new Error('no console');
  // It is ready before it is connected, to say what is wrong.
  await vi.waitFor(
    async () => expect(await metricsOf(console)).toContain('evenkeel_amqp_connected{'),
    30_000,
  );
  const connections: Record<string, Record<string, number>> = {};
  for (const member of mesh.members) {
    const metrics = await metricsOf(member);
    expect({ service: member.name, complaints: await complaintsOf(metrics) }).toEqual({
      service: member.name,
      complaints: [],
    });
    // The crowd's clients are crowd-1 and crowd-2.
    expect(metrics).not.toMatch(/crowd-\d/);
    connections[member.name] = byConnection(metrics, 'evenkeel_amqp_connected');
    const blocked = Object.values(byConnection(metrics, 'evenkeel_amqp_blocked'));
    expect(blocked).toEqual(blocked.map(() => 0));
  }
  expect(connections).toEqual({
    gateway: { consuming: 1, publishing: 1 },
    'edge-1': { consuming: 1, publishing: 1, clients: 1 },
    balancer: { consuming: 1, publishing: 1, 'leader-lock': 1, 'direct-answers': 1 },
    demo: { publishing: 1, consuming: 1 },
    crowd: { publishing: 1 },
    console: { operator: 1 },
    api: { publishing: 1, 'mesh consuming': 1, 'mesh publishing': 1 },
  });
});
