import { describe, expect, it } from 'vitest';
import { type Answer, Bench, until } from './balancer-fixture.js';

const settingIn = (answer: Answer, name: string) =>
  answer.settings.find((each: { name: string }) => each.name === name);

/** Waits until the balancer that leads knows the nodes to the full. */
async function complete(bench: Bench, nodes: number): Promise<void> {
  await until('complete', 20_000, async () => {
    const status = await bench.ask({ command: 'status' });
    return status?.isComplete === true && status.nodes.length === nodes;
  });
}

describe('what operators set while the mesh runs', () => {
  it('counts at once, is checked as in the environment, is shown with who has set it, and outlives the leader', async () => {
    const bench = await Bench.open();
    const first = await bench.balancer('b1', { EVENKEEL_MODE: 'manual', EVENKEEL_QUIET_MS: '3000' });
    await until('leading', 10_000, async () => (await bench.ask({ command: 'status' }))?.ok === true);
    expect(await bench.ask({ command: 'set', name: 'mode', value: 'auto' })).toMatchObject({
      ok: true,
      value: 'auto',
      from: 'live',
    });
    const windows = { command: 'set', name: 'maintenanceWindows', value: '00:00-12:00, 12:00-00:00' };
    expect(await bench.ask(windows)).toMatchObject({ value: ['00:00-12:00', '12:00-00:00'] });
    expect(await bench.ask({ command: 'status' })).toMatchObject({
      mode: 'auto',
      settingsChanged: ['mode', 'maintenanceWindows'],
    });
    for (const value of [-1, 'soon', true, []])
      expect(await bench.ask({ command: 'set', name: 'quietMs', value })).toMatchObject({
        error: { code: 'bad-value', message: expect.stringContaining('a whole number from 1 to') },
      });
    expect(await bench.ask({ command: 'set', name: 'operators', value: 'eve' })).toMatchObject({
      error: { code: 'unknown-setting', message: expect.stringContaining('what can be set: mode,') },
    });
    await first.kill('SIGKILL');
    await bench.balancer('b2', { EVENKEEL_MODE: 'manual' });
    await until('another leads', 20_000, async () => {
      const status = await bench.ask({ command: 'status' });
      return status?.leader?.id === 'b2' && status.mode === 'auto';
    });
    const settings = await bench.ask({ command: 'settings' });
    expect(settingIn(settings, 'mode')).toMatchObject({
      value: 'auto',
      default: 'manual',
      from: 'live',
      by: expect.any(String),
      at: expect.any(Number),
      takes: 'auto or manual',
    });
    expect(settingIn(settings, 'quietMs')).toMatchObject({ value: 2_000, from: 'environment' });
    expect(await bench.ask({ command: 'set', name: 'mode', value: null })).toMatchObject({
      value: 'manual',
      from: 'environment',
    });
    expect(await bench.ask({ command: 'status' })).toMatchObject({
      mode: 'manual',
      settingsChanged: ['maintenanceWindows'],
    });
  });

  it('of a node counts in plans, and for the next process of the node', async () => {
    const bench = await Bench.open();
    const edge = await bench.edge({ node: 'e1', sessions: 30 });
    await bench.edge({ node: 'e2', sessions: 30 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await complete(bench, 2);
    expect(await bench.ask({ command: 'set', node: 'e2', name: 'weight', value: 2 })).toMatchObject({
      ok: true,
      node: 'e2',
      value: 2,
      from: 'live',
    });
    await until('reported', 10_000, async () => {
      const { plan } = await bench.ask({ command: 'plan' });
      return plan.after.e1 === 20 && plan.after.e2 === 40;
    });
    expect(await bench.ask({ command: 'set', node: 'e1', name: 'weight', value: 1_000 })).toMatchObject({
      error: { code: 'bad-value', message: expect.stringContaining('a number from 0.01 to 100') },
    });
    await bench.ask({ command: 'set', node: 'e1', name: 'capacity', value: 40 });
    await edge.stop();
    const next = await bench.edge({ node: 'e1' });
    await until('told too', 20_000, () => next.stats.live?.capacity === 40);
    expect(await bench.ask({ command: 'status' })).toMatchObject({
      settingsChanged: ['e2.weight', 'e1.capacity'],
    });
    await bench.ask({ command: 'set', node: 'e1', name: 'capacity', value: null });
    await until('taken back', 20_000, () => next.stats.live?.capacity === undefined);
    expect(await bench.ask({ command: 'settings' })).toMatchObject({
      nodes: [{ node: 'e2', name: 'weight', value: 2 }],
    });
  });
});

describe('what has happened', () => {
  it('is followed without a repeat: commands, plans and nodes, each with who was it', async () => {
    const bench = await Bench.open();
    const edge = await bench.edge({ node: 'e1', sessions: 20 });
    await bench.edge({ node: 'e2', sessions: 0 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await complete(bench, 2);
    const seen: { id: string; kind: string; text: string; by?: string; outcome?: string }[] = [];
    let after: string | undefined;
    const follow = async () => {
      // Asked so often, it may be told that this is too often.
      const { events = [], last = after } = await bench.ask({ command: 'events', ...(after && { after }) });
      seen.push(...events);
      after = last;
    };
    await follow();
    expect(seen[0]).toMatchObject({ kind: 'leader', text: 'b1 leads' });
    await bench.ask({ command: 'rebalance' });
    await bench.ask({ command: 'abort', plan: 'nope' });
    await until('a plan has ended', 20_000, async () => {
      await follow();
      return seen.some(({ kind, outcome }) => kind === 'plan' && outcome === 'done');
    });
    const { plans } = await bench.ask({ command: 'history' });
    expect(plans).toMatchObject([{ kind: 'rebalance', state: 'done', done: 10 }]);
    expect(await bench.ask({ command: 'history', before: plans[0].id })).toMatchObject({ plans: [] });
    expect(await bench.ask({ command: 'history', before: 'nope' })).toMatchObject({
      error: { code: 'unknown-plan' },
    });
    await edge.stop();
    await until('a node is gone', 40_000, async () => {
      await follow();
      return seen.some(({ text }) => text === 'e1 is gone');
    });
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    const texts = seen.map(({ text }) => text);
    expect(texts).toContain('rebalance');
    expect(texts).toContain('e1 has not reported for 3 s');
    expect(seen.find(({ text }) => text.startsWith('abort nope: refused'))).toMatchObject({
      outcome: 'unknown-plan',
      by: expect.any(String),
    });
  });
});

describe('a status', () => {
  it('has a sentence, totals and how level it is; a plan says on which node there are those with no room', async () => {
    const bench = await Bench.open();
    const one = await bench.edge({ node: 'e1', sessions: 30 });
    const two = await bench.edge({ node: 'e2', sessions: 10 });
    one.stats = { deliveredPerSecond: 5, publishToSocketP99Ms: 7, gaps: 3 };
    two.stats = { deliveredPerSecond: 6, publishToSocketP99Ms: 9, gaps: 0, capacity: 20 };
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await complete(bench, 2);
    one.stats = { ...one.stats, gaps: 5 };
    await until('gaps are counted', 10_000, async () => {
      const { totals } = await bench.ask({ command: 'status' });
      return totals.gapsLastHour === 2;
    });
    const status = await bench.ask({ command: 'status' });
    expect(status).toMatchObject({
      totals: { sessions: 40, eventsPerSecond: 11, publishToSocketP99Ms: 9 },
      level: { maxOverMean: 1.5 },
      leaderSince: expect.any(Number),
      settingsChanged: [],
    });
    expect(status.viewAgeMs).toBeLessThan(1_500);
    expect(status.sentence).toContain(
      '2 nodes with 40 sessions, the fullest 50 % over the mean; nothing runs',
    );
    expect(await bench.ask({ command: 'plan', node: 'e1' })).toMatchObject({
      plan: { total: 10, unplaced: 20, unplacedByNode: { e1: 20 } },
    });
    expect(await bench.ask({ command: 'node', node: 'e1' })).toMatchObject({
      ok: true,
      node: { node: 'e1', sessions: 30 },
      isAnswered: false,
    });
  });
});
