import { describe, expect, it, vi } from 'vitest';
import { longestWaitMs, Planting } from './planting.js';

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function make() {
  vi.useFakeTimers();
  const events = { perSecond: 0, topicFramesPerSecond: 0 };
  const planting = new Planting({
    written: () => (performance.now() * events.perSecond) / 1_000,
    topicFrames: () => (performance.now() * events.topicFramesPerSecond) / 1_000,
    now: () => performance.now(),
  });
  const planted: string[] = [];
  const plant = (queue: string) =>
    planting.inTurn(queue, async () => {
      planted.push(queue);
      return true;
    });
  const makings = Array.from({ length: 8 }, () => deferred<void>());
  return {
    planting,
    planted,
    plant,
    events,
    crowdComes: () => {
      for (const { promise } of makings) void planting.making(promise);
    },
    crowdPasses: () => {
      for (const { resolve } of makings) resolve();
    },
  };
}

describe('the seals of new sessions', () => {
  it('are planted at once while no crowd comes in', async () => {
    const { plant, planted } = make();
    await plant('a');
    expect(planted).toEqual(['a']);
  });

  it('wait while one does, and are planted in their order behind it', async () => {
    const { plant, planted, crowdComes, crowdPasses } = make();
    crowdComes();
    const all = Promise.all([plant('a'), plant('b')]);
    await vi.advanceTimersByTimeAsync(longestWaitMs - 1);
    expect(planted).toEqual([]);
    crowdPasses();
    await all;
    expect(planted).toEqual(['a', 'b']);
  });

  it('wait for a crowd that does not end no longer than their limit', async () => {
    const { plant, planted, crowdComes } = make();
    crowdComes();
    const all = plant('a');
    await vi.advanceTimersByTimeAsync(longestWaitMs);
    await all;
    expect(planted).toEqual(['a']);
  });

  it('wait for a rush of events to pass, no longer than their limit', async () => {
    const { plant, planted, events } = make();
    await vi.advanceTimersByTimeAsync(1_000);
    events.perSecond = 2_500;
    const first = plant('a');
    await vi.advanceTimersByTimeAsync(1_000);
    const second = plant('b');
    expect(planted).toEqual([]);
    await vi.advanceTimersByTimeAsync(longestWaitMs - 1_000);
    await first;
    expect(planted).toEqual(['a']);
    events.perSecond = 0;
    await vi.advanceTimersByTimeAsync(200);
    await second;
    expect(planted).toEqual(['a', 'b']);
  });

  it('wait for a rush of messages of topics too, which are less work each', async () => {
    const { plant, planted, events } = make();
    await vi.advanceTimersByTimeAsync(1_000);
    events.topicFramesPerSecond = 10_000;
    await plant('a');
    expect(planted).toEqual(['a']);
    events.topicFramesPerSecond = 60_000;
    await vi.advanceTimersByTimeAsync(200);
    const second = plant('b');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(planted).toEqual(['a']);
    events.topicFramesPerSecond = 0;
    await vi.advanceTimersByTimeAsync(200);
    await second;
  });

  it('do not wait in a session that is left', async () => {
    const { planting, plant, planted, crowdComes } = make();
    crowdComes();
    const [first, second] = [plant('a'), plant('b')];
    planting.hurry('b');
    await second;
    expect(planted).toEqual(['b']);
    planting.hurry('a');
    await first;
  });

  it('are eight at a time', async () => {
    const { planting } = make();
    const ends = Array.from({ length: 9 }, () => deferred<boolean>());
    let begun = 0;
    const all = ends.map(({ promise }, n) =>
      planting.inTurn(`q${n}`, () => {
        begun += 1;
        return promise;
      }),
    );
    await vi.advanceTimersByTimeAsync(longestWaitMs);
    expect(begun).toBe(8);
    ends[0]?.resolve(true);
    await all[0];
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toBe(9);
    for (const { resolve } of ends) resolve(true);
    await Promise.all(all);
  });

  /** Seals that take 10 ms each; resolves with how many were begun at which time. */
  async function paced(count: number, perSecond: number, overMs: number): Promise<number[]> {
    const { planting, events } = make();
    events.perSecond = perSecond;
    await vi.advanceTimersByTimeAsync(1_000);
    const begunAtMs: number[] = [];
    for (let n = 0; n < count; n += 1)
      void planting.inTurn(`q${n}`, async () => {
        begunAtMs.push(performance.now());
        await new Promise((resolve) => setTimeout(resolve, 10));
        return true;
      });
    await vi.advanceTimersByTimeAsync(overMs);
    return begunAtMs;
  }

  it('are planted one by one beside a flow of events, with a rest three times as long behind each', async () => {
    const begunAtMs = await paced(5, 100, 1_000);
    expect(begunAtMs.map((ms) => ms - (begunAtMs[0] ?? 0))).toEqual([0, 40, 80, 120, 160]);
  });

  it('are more at a time beside it the more of them are overdue', async () => {
    const few = await paced(60, 2_500, longestWaitMs + 400);
    const many = await paced(600, 2_500, longestWaitMs + 400);
    expect(few.length).toBeGreaterThan(8);
    expect(few.length).toBeLessThanOrEqual(11);
    expect(many.length).toBeGreaterThan(few.length * 6);
  });

  it('do not rest where nothing else goes on', async () => {
    expect((await paced(100, 0, 200)).length).toBe(100);
  });
});
