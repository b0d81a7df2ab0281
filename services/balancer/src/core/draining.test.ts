import { describe, expect, it } from 'vitest';
import { SmallCluster } from '../../testing/small-cluster.js';

const holds = (cluster: SmallCluster, node: string) =>
  cluster.sent.filter(
    (sent) =>
      sent.node === node && sent.command.command === 'reconnect' && sent.command.sessions?.length === 0,
  );

/** How drains have ended. */
const endings = (cluster: SmallCluster) =>
  cluster.logs.filter(({ event }) => event === 'drain ended').map(({ fields }) => fields);

const capacity = (sessions: number, most = 100) => ({ sessions, stats: { capacity: most } });

describe('a drain', () => {
  it('keeps an edge waiting that shuts down while nobody has room, until a node comes', () => {
    const cluster = new SmallCluster({ a: capacity(97), b: capacity(96), c: capacity(97) });
    cluster.play(4);
    cluster.node('c').stats.state = 'draining';
    cluster.play(20);
    expect(cluster.counts()).toEqual({ a: 100, b: 100, c: 90 });
    // An edge closes what is left after 5 s without a command.
    expect(holds(cluster, 'c').length).toBeGreaterThan(10);
    expect(holds(cluster, 'a')).toEqual([]);
    expect(cluster.drainOf('c')?.why).toBe('no active node has room for 90');
    cluster.add('d', { stats: { capacity: 100 } });
    cluster.play(10);
    expect(cluster.node('c').sessions).toBe(0);
  });

  it('keeps nobody waiting when all of the mesh shuts down', () => {
    const cluster = new SmallCluster({ a: { sessions: 10 }, b: { sessions: 10 } });
    cluster.play(4);
    for (const name of ['a', 'b']) cluster.node(name).stats.state = 'draining';
    cluster.play(20);
    expect(cluster.sent).toEqual([]);
  });

  it('of a node that nothing fits from does not stop that of another, over and over', () => {
    const cluster = new SmallCluster({ a: { sessions: 40 }, b: { sessions: 30 }, c: capacity(0, 35) });
    cluster.play(0.5);
    cluster.balancer.automatic.mode = 'manual';
    cluster.drain('a');
    cluster.drain('b');
    cluster.play(10);
    expect(cluster.counts()).toEqual({ a: 5, b: 30, c: 35 });
    expect(cluster.balancer.history.every(({ outcome }) => !outcome.includes('must be drained first'))).toBe(
      true,
    );
    expect(cluster.drainOf('b')).toEqual({
      by: 'ann',
      state: 'stayed',
      why: 'no active node has room for 30',
    });
  });

  it('ends when clients do not do what they are asked for', () => {
    const cluster = new SmallCluster({ a: { sessions: 3, isDeaf: true }, b: {} });
    cluster.play(4);
    cluster.drain('a');
    cluster.play(60);
    expect(cluster.drainOf('a')).toEqual({
      by: 'ann',
      state: 'stayed',
      why: '3 did not move, however often they were asked',
    });
  });

  it('of a node whose clients leave rather than move is over when they are gone, and is tried for those that come', () => {
    const cluster = new SmallCluster({ a: { sessions: 60, isFleeting: true }, b: {} }, { mode: 'manual' });
    cluster.play(4);
    cluster.drain('a');
    for (let i = 0; i < 8; i++) {
      cluster.play(10);
      expect(cluster.node('a').sessions).toBe(0);
      cluster.node('a').sessions = 30;
    }
    expect(cluster.balancer.history.every(({ outcome }) => !outcome.includes('fails'))).toBe(true);
  });

  it('says who has asked for it, and of an edge that shuts down that nobody has', () => {
    const cluster = new SmallCluster({ a: { sessions: 3 }, b: { sessions: 3 }, c: {} });
    cluster.play(4);
    cluster.drain('a');
    cluster.play(4);
    cluster.node('b').stats.state = 'draining';
    cluster.play(4);
    const started = cluster.logs.filter(({ event }) => event === 'plan started').map(({ fields }) => fields);
    expect(started).toMatchObject([
      { by: 'ann', why: 'draining a, asked for by ann' },
      { by: 'auto', why: 'draining b' },
    ]);
  });

  it('is remembered over a time without any reports', () => {
    const cluster = new SmallCluster({ a: {}, b: { sessions: 200 } });
    cluster.play(4);
    cluster.drain('a');
    cluster.play(4);
    cluster.isSilent = true;
    cluster.play(16);
    cluster.isSilent = false;
    cluster.play(5);
    cluster.node('a').sessions = 20;
    cluster.play(20);
    expect(cluster.counts()).toEqual({ a: 0, b: 220 });
  });

  it('is remembered over minutes without any reports, and ends with what stayed when it is overdue', () => {
    const cluster = new SmallCluster({ a: { sessions: 3, isDeaf: true }, b: { sessions: 9 } });
    cluster.play(4);
    cluster.drain('a', { endsBy: cluster.nowMs + 400_000 });
    cluster.play(4);
    cluster.isSilent = true;
    cluster.play(300);
    cluster.isSilent = false;
    cluster.play(5);
    expect(cluster.drainOf('a')).toMatchObject({ by: 'ann' });
    expect(cluster.drainOf('a')).not.toHaveProperty('endedAt');
    cluster.play(120);
    expect(cluster.drainOf('a')).toMatchObject({
      by: 'ann',
      state: 'stayed',
      endedAt: expect.any(Number),
      why: 'its deadline has passed',
    });
    const plans = cluster.plans;
    cluster.play(60);
    expect(cluster.plans).toBe(plans);
    expect(endings(cluster)).toMatchObject([{ node: 'a', by: 'ann', how: 'overdue', left: 3 }]);
  });

  it('goes on when the process crashes that is to be emptied, and is over when one leaves that is empty', () => {
    const cluster = new SmallCluster({ a: { sessions: 20, isDeaf: true }, b: {} });
    cluster.play(4);
    cluster.drain('a');
    cluster.play(3);
    cluster.restart('a');
    Object.assign(cluster.node('a'), { sessions: 5, isDeaf: false });
    cluster.play(10);
    expect(cluster.node('a').sessions).toBe(0);
    expect(cluster.node('a').stats.state).toBe('cordoned');
    expect(endings(cluster)).toMatchObject([{ node: 'a', how: 'met' }]);
    cluster.restart('a');
    cluster.play(10);
    expect(cluster.node('a').stats.state).toBe('active');
    expect(cluster.drainOf('a')).toBeUndefined();
  });

  it('is withdrawn when its plan is aborted, and is not begun again', () => {
    const cluster = new SmallCluster({ a: { sessions: 20, isDeaf: true }, b: {} }, { mode: 'manual' });
    cluster.play(4);
    cluster.drain('a');
    while (cluster.balancer.run === undefined) cluster.play(0.1);
    expect(cluster.balancer.abort('bob', cluster.nowMs)).toEqual(['a']);
    cluster.play(60);
    expect(cluster.plans).toBe(1);
    expect(cluster.node('a')).toMatchObject({ sessions: 20, stats: { state: 'cordoned' } });
    expect(endings(cluster)).toMatchObject([{ node: 'a', by: 'ann', how: 'withdrawn', withdrawnBy: 'bob' }]);
  });
});

describe('a cordon', () => {
  it('holds for the process that follows, and also when the leader is another', () => {
    const cluster = new SmallCluster({ a: {}, b: {} });
    cluster.play(4);
    cluster.cordon('a');
    cluster.play(4);
    cluster.restart('a');
    cluster.play(4);
    expect(cluster.node('a').stats.state).toBe('cordoned');
    const saved = cluster.balancer.saved();
    cluster.balancer.follow();
    cluster.restart('a');
    cluster.play(4);
    expect(cluster.node('a').stats.state).toBe('active');
    cluster.balancer.lead(JSON.parse(JSON.stringify(saved)), cluster.nowMs);
    cluster.play(4);
    expect(cluster.node('a').stats.state).toBe('cordoned');
    expect(cluster.sent.filter(({ command }) => command.command === 'cordon')).toHaveLength(3);
  });
});

describe('a rebalance that an operator has aborted', () => {
  it('is not made again for five minutes, nor by the next leader, unless somebody resumes', () => {
    const begun = () => {
      const cluster = new SmallCluster({ a: { sessions: 300, isDeaf: true }, b: {} });
      while (cluster.balancer.run === undefined) cluster.play(0.1);
      cluster.balancer.abort('ann', cluster.nowMs);
      cluster.play(60);
      return cluster;
    };
    const cluster = begun();
    expect(cluster.plans).toBe(1);
    expect(cluster.balancer.why).toContain('ann has aborted a plan');
    cluster.balancer.lead(cluster.balancer.saved(), cluster.nowMs);
    cluster.play(200);
    expect(cluster.plans).toBe(1);
    cluster.play(60);
    expect(cluster.plans).toBeGreaterThan(1);
    const resumed = begun();
    resumed.balancer.automatic.resume();
    resumed.play(10);
    expect(resumed.plans).toBeGreaterThan(1);
  });
});

const hourMs = 3_600_000;
/** A successor's clock, as that of the leader before has it: ahead, behind and beside. */
const clocksApart = [61 * 60_000, -61 * 60_000, 700, 0];

describe('a leader with another clock than the one before', () => {
  it.each(clocksApart)('%s ms: ends a drain when its time is over, whoever leads by then', (aheadMs) => {
    const cluster = new SmallCluster({ a: { sessions: 3, isDeaf: true }, b: { sessions: 9 } });
    cluster.play(4);
    cluster.drain('a', { endsBy: cluster.nowMs + hourMs });
    cluster.play(600);
    cluster.succeed(aheadMs);
    cluster.play(1_800);
    cluster.succeed(-aheadMs);
    cluster.play(1_180);
    expect(endings(cluster)).toEqual([]);
    expect(cluster.drainOf('a')?.endsBy).toBeCloseTo(1_004_000 + hourMs - aheadMs, -4);
    cluster.play(20);
    expect(endings(cluster)).toMatchObject([{ node: 'a', how: 'overdue', left: 3 }]);
  });

  it.each(clocksApart)('%s ms: rebalances five minutes after an abort', (aheadMs) => {
    const cluster = new SmallCluster({ a: { sessions: 300, isDeaf: true }, b: {} });
    while (cluster.balancer.run === undefined) cluster.play(0.1);
    cluster.balancer.abort('ann', cluster.leaderMs);
    cluster.play(60);
    cluster.succeed(aheadMs);
    cluster.play(230);
    expect(cluster.plans).toBe(1);
    expect(cluster.balancer.why).toContain('ann has aborted a plan');
    cluster.play(60);
    expect(cluster.plans).toBeGreaterThan(1);
  });

  it.each(clocksApart)('%s ms: stops a plan that it goes on with when its time is over', (aheadMs) => {
    const pace = { startPerSecond: 1, maxPerSecond: 1 };
    const cluster = new SmallCluster({ a: { sessions: 200 }, b: {} }, { mode: 'manual', pace });
    cluster.play(4);
    cluster.drain('a', { endsBy: cluster.nowMs + 60_000 });
    cluster.play(20);
    cluster.succeed(aheadMs);
    cluster.play(30);
    expect(cluster.balancer.run?.state).toBe('running');
    const elapsedMs = cluster.leaderMs - (cluster.balancer.run?.plan.startedAt ?? 0);
    expect(Math.abs(elapsedMs - 54_000)).toBeLessThan(2_000);
    cluster.play(10);
    expect(cluster.balancer.history).toMatchObject([{ state: 'aborted', outcome: 'deadline passed' }]);
  });

  it.each([61 * 60_000, -61 * 60_000])('%s ms: shows by its own when a node was cordoned', (aheadMs) => {
    const cluster = new SmallCluster({ a: {}, b: {} });
    cluster.play(4);
    cluster.cordon('a');
    cluster.play(10);
    cluster.succeed(aheadMs);
    expect(cluster.balancer.standing.cordons.wishes.get('a')?.at).toBe(1_004_000 + aheadMs);
  });

  it('gives a drain the time that it had left, where it hears no process that the leader before has heard', () => {
    for (const aheadMs of clocksApart) {
      const cluster = new SmallCluster({ a: { sessions: 3, isDeaf: true }, b: { sessions: 9 } });
      cluster.play(4);
      cluster.drain('a', { endsBy: cluster.nowMs + 120_000 });
      cluster.play(60);
      for (const name of ['a', 'b']) cluster.restart(name);
      cluster.succeed(aheadMs);
      cluster.play(58);
      expect(endings(cluster)).toEqual([]);
      // What was saved last is at most half a minute old.
      cluster.play(40);
      expect(endings(cluster)).toMatchObject([{ node: 'a', how: 'overdue' }]);
    }
  });

  it('takes times as they are from a balancer of before, which says nothing of its clock', () => {
    const cluster = new SmallCluster({ a: { sessions: 3, isDeaf: true }, b: { sessions: 9 } });
    cluster.play(4);
    cluster.drain('a', { endsBy: 1_100_000 });
    cluster.succeed(5_000, ({ clock: _, ...before }) => before);
    expect(cluster.drainOf('a')?.endsBy).toBe(1_100_000);
  });
});
