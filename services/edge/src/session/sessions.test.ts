import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Sessions, type SessionsOptions } from './sessions.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process whose clock can be moved on while it stands still. */
function swept() {
  const process = { stoodStillMs: 0, canBeAsked: true };
  const closedWith: string[] = [];
  const judgedAtMs: number[] = [];
  const session = {
    sweep: (nowMs: number) => void judgedAtMs.push(nowMs),
    close: ({ reason }: { reason: string }) => void closedWith.push(reason),
  };
  const sessions = new Sessions({
    now: () => performance.now() + process.stoodStillMs,
    directory: { size: 1, tracked: () => [session].values() },
    canBeAsked: () => process.canBeAsked,
    log: { warn: () => {} },
  } as unknown as SessionsOptions);
  sessions.start();
  return { process, judgedAtMs, closedWith, stop: () => sessions.stop() };
}

it('a process that stood still reads what clients have sent meanwhile before it judges whether they are late', () => {
  const { process, judgedAtMs, stop } = swept();
  vi.advanceTimersByTime(3_000);
  expect(judgedAtMs).toHaveLength(3);
  process.stoodStillMs = 90_000;
  vi.advanceTimersByTime(1_000);
  expect(judgedAtMs).toHaveLength(3);
  vi.advanceTimersByTime(1_000);
  expect(judgedAtMs).toHaveLength(4);
  stop();
});

it('one that is late all the time judges all the same', () => {
  const { process, judgedAtMs, stop } = swept();
  for (let n = 0; n < 10; n += 1) {
    process.stoodStillMs += 1_500;
    vi.advanceTimersByTime(1_000);
  }
  expect(judgedAtMs).toHaveLength(9);
  stop();
});

it('an edge that cannot be asked for its sessions gives them back after some seconds, and no sooner', () => {
  const { process, closedWith, stop } = swept();
  process.canBeAsked = false;
  vi.advanceTimersByTime(4_000);
  process.canBeAsked = true;
  vi.advanceTimersByTime(1_000);
  process.canBeAsked = false;
  vi.advanceTimersByTime(5_000);
  expect(closedWith).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(closedWith).toEqual(['drained']);
  stop();
});
