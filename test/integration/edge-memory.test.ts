import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { metric } from '../support/metric.js';

const patience = { timeout: 20_000, interval: 50 };
const big = 'x'.repeat(200_000);

let mesh: EdgeMesh;
/** Less than it takes, so that it is short of memory within seconds after its start. */
let narrow: EdgeUnderTest;
let roomy: EdgeUnderTest;
const held = new SessionUnderTest('held');
const slow = new SessionUnderTest('slow');

const status = async (edge: EdgeUnderTest) =>
  (await (await fetch(`${edge.member.opsUrl}/status`)).json()) as object;
const reports = (expected: object) =>
  vi.waitFor(async () => expect(await status(narrow)).toMatchObject(expected), patience);

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  roomy = await mesh.edge('memory-roomy', { WINDOW: '512' });
});
afterAll(() => mesh.close());

it('an edge short of memory keeps what it has, refuses newcomers, and sends slow clients elsewhere without a loss', async () => {
  narrow = await mesh.edge('memory-narrow', { WINDOW: '512', MEMORY_LIMIT_BYTES: '1000000' });
  const [client, frozen] = await Promise.all([held.attach(narrow), slow.attach(narrow)]);
  frozen.freeze();
  for (const n of range(1, 100)) await mesh.event(slow, { n, big });

  await reports({ state: 'cordoned', cordonedBy: 'memory', memory: { of: 'process', isLow: true } });
  expect(narrow.hasLogged('memory is low: no newcomers are taken')).toBe(true);
  expect(await (await fetch(`${narrow.member.opsUrl}/readyz`)).json()).toMatchObject({
    ready: true,
    notes: { memory: expect.stringContaining('% of the memory limit of the process') },
  });
  await expect(new SessionUnderTest('new').open(narrow)).rejects.toThrow('answered 503');
  await expect(new SessionUnderTest('moved').open(narrow, { move: 'm', from: 'e' })).rejects.toThrow('503');
  expect(await metric(narrow.member, 'evenkeel_upgrades_refused_total', { reason: 'memory' })).toBe(2);
  await mesh.command(narrow.node, { command: 'cordon' });
  await reports({ cordonedBy: 'operator' });
  await mesh.command(narrow.node, { command: 'uncordon' });
  await reports({ state: 'cordoned', cordonedBy: 'memory' });

  await expect.poll(() => metric(narrow.member, 'evenkeel_memory_shed_total'), patience).toBe(1);
  const next = await slow.attach(roomy, { resume: true }, { from: narrow.node });
  await next.eventCount(100);
  frozen.thaw();
  expect((await frozen.closed).code).toBe(4000);
  const numbers = [...frozen.data, ...next.data].map((data) => (data as { n: number }).n);
  expect([...new Set(numbers)]).toEqual(range(1, 100));
  expect(next.kinds).not.toContain('gap');

  // Who is here stays here, and comes back here.
  await mesh.event(held, { n: 1 });
  await client.eventCount(1);
  const again = await held.attach(narrow, { resume: true }, { from: narrow.node });
  await reports({ sessions: 1, memory: { isLow: true, isShort: true } });
  await Promise.all([again.close(), next.close()]);
});
