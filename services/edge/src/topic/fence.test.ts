import type { PublishOutcome } from '@evenkeel/broker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fence } from './fence.js';

/** A fence whose markers come back when the test says so. */
function make() {
  const sent: { marker: number; leaving: string[]; answer(outcome: PublishOutcome | Error): void }[] = [];
  let dropped = 0;
  const confirm = vi.fn<(tookMs: number) => true | Promise<boolean>>(() => true);
  const fence = new Fence({
    send: (marker, leaving) =>
      new Promise((resolve, reject) => {
        sent.push({
          marker,
          leaving: leaving.map(({ session }) => session),
          answer: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
        });
      }),
    onDropped: () => {
      dropped += 1;
    },
    confirm,
    now: () => Date.now(),
  });
  const markers = () => sent.map(({ marker }) => marker);
  return { fence, sent, markers, confirm, dropped: () => dropped };
}

describe('a fence', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends when a marker that was sent after the call has come back', async () => {
    const { fence, markers } = make();
    const first = fence.wait(1_000);
    expect(markers()).toEqual([1]);
    fence.passed(1);
    expect(await first).toBe(true);
  });

  it('shares markers: one under way, and one more for all who asked meanwhile', async () => {
    const { fence, markers } = make();
    const first = fence.wait(1_000);
    const later = Promise.all([fence.wait(1_000), fence.wait(1_000), fence.wait(1_000)]);
    expect(markers()).toEqual([1]);
    fence.passed(1);
    expect(await first).toBe(true);
    expect(markers()).toEqual([1, 2]);
    fence.passed(2);
    expect(await later).toEqual([true, true, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for its deadline and no longer', async () => {
    const { fence } = make();
    const wait = fence.wait(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await wait).toBe(false);
  });

  it('whose marker was dropped holds up no later one, and the drop is told before that one ends', async () => {
    const { fence, markers, dropped } = make();
    void fence.wait(10_000);
    const later = fence.wait(10_000);
    await vi.advanceTimersByTimeAsync(250);
    expect(markers()).toEqual([1, 2]);
    fence.passed(2);
    expect(dropped()).toBe(1);
    expect(await later).toBe(true);
  });

  it('ends at once, unfulfilled, when the queue goes, and the next one is fresh', async () => {
    const { fence, markers, dropped } = make();
    const waits = Promise.all([fence.wait(1_000), fence.wait(1_000)]);
    fence.lost();
    expect(await waits).toEqual([false, false]);
    const next = fence.wait(1_000);
    expect(markers()).toEqual([1, 2]);
    // Published once more after a reconnect, it reaches the new queue.
    fence.passed(1);
    fence.passed(2);
    expect(await next).toBe(true);
    expect(dropped()).toBe(0);
  });

  it.each(['unrouted', new Error('not published')] as const)(
    'ends unfulfilled when its marker is %s',
    async (outcome) => {
      const { fence, sent, markers } = make();
      const wait = fence.wait(1_000);
      const next = fence.wait(1_000);
      sent[0]?.answer(outcome);
      expect(await wait).toBe(false);
      expect(markers()).toEqual([1, 2]);
      fence.passed(2);
      expect(await next).toBe(true);
    },
  );

  it('reads a marker that came while the process stood still before it gives up', async () => {
    vi.useRealTimers();
    const { fence } = make();
    const wait = fence.wait(100);
    // Comes after timers that are due, as what is read does.
    setImmediate(() => fence.passed(1));
    const endsAtMs = performance.now() + 150;
    while (performance.now() < endsAtMs);
    expect(await wait).toBe(true);
  });

  it('does not believe a marker that it has not sent', async () => {
    const { fence, dropped } = make();
    const wait = fence.wait(1_000);
    for (const marker of [2, 0, -1, Number.NaN, 1e9]) fence.passed(marker);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await wait).toBe(false);
    expect(dropped()).toBe(0);
  });

  it('asks whether the marker counts, with the time that it took', async () => {
    const { fence, confirm } = make();
    confirm.mockImplementation(() => Promise.resolve(false));
    const wait = fence.wait(1_000);
    await vi.advanceTimersByTimeAsync(40);
    fence.passed(1);
    expect(await wait).toBe(false);
    expect(confirm).toHaveBeenCalledWith(40);
  });

  it('has at most 64 markers under way when none comes back', async () => {
    const { fence, markers, dropped } = make();
    for (let n = 0; n < 100; n++) {
      void fence.wait(10_000);
      await vi.advanceTimersByTimeAsync(250);
    }
    const newest = markers().at(-1) ?? 0;
    const waiting = fence.wait(10_000);
    // Forgotten, it proves nothing any more; the oldest that is not forgotten was overtaken by none.
    fence.passed(newest - 64);
    fence.passed(newest - 63);
    expect(dropped()).toBe(0);
    fence.passed(newest);
    expect(dropped()).toBe(1);
    fence.passed(newest + 1);
    expect(await waiting).toBe(true);
  });

  it('tells who leaves where its stream ends: before anything younger, once, with the marker that came first', async () => {
    const { fence, sent } = make();
    const reached: string[] = [];
    const leave = (session: string) =>
      fence.wait(10_000, { session, to: 'b', reached: (marker) => reached.push(`${session} ${marker}`) });
    const first = leave('x');
    void fence.wait(10_000);
    const second = leave('y');
    // The first marker seems to be lost, so another goes out for all who wait.
    await vi.advanceTimersByTimeAsync(250);
    expect(sent.map(({ leaving }) => leaving)).toEqual([['x'], ['x', 'y']]);
    fence.passed(1);
    expect(reached).toEqual(['x 1']);
    expect(await first).toBe(true);
    fence.passed(2);
    expect(reached).toEqual(['x 1', 'y 2']);
    expect(await second).toBe(true);
  });

  it('tells who leaves also where it is not sure yet that nothing was dropped before', async () => {
    const { fence, confirm } = make();
    let isWhole = (_: boolean) => {};
    confirm.mockReturnValue(
      new Promise((resolve) => {
        isWhole = resolve;
      }),
    );
    const reached: number[] = [];
    const wait = fence.wait(10_000, { session: 'x', to: 'b', reached: (marker) => reached.push(marker) });
    fence.passed(1);
    expect(reached).toEqual([1]);
    isWhole(false);
    expect(await wait).toBe(false);
  });
});
