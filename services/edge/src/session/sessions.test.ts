import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SessionOptions } from './session.js';
import { Sessions } from './sessions.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process whose clock can be moved on while it stands still. */
function swept() {
  const process = { stoodStillMs: 0 };
  const judgedAtMs: number[] = [];
  const session = { sweep: (nowMs: number) => void judgedAtMs.push(nowMs) };
  const sessions = new Sessions({
    now: () => performance.now() + process.stoodStillMs,
    directory: { tracked: () => [session].values() },
  } as unknown as SessionOptions);
  sessions.start();
  return { process, judgedAtMs, stop: () => sessions.stop() };
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
