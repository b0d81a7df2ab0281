import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { thisMoment } from '../time.js';
import type { EdgeSocket } from './edge-socket.js';
import { Liveness } from './liveness.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function watched() {
  let pings = 0;
  let beats = 0;
  const socket = {
    isOpen: true,
    isGone: false,
    heard: thisMoment(),
    answerByMs: 0,
    isExcused: false,
    send: () => void pings++,
  };
  const silent: unknown[] = [];
  const liveness = new Liveness(
    15_000,
    () => [socket as unknown as EdgeSocket, undefined],
    (l) => silent.push(l),
    () => void beats++,
  );
  const hear = (): void => {
    socket.heard = thisMoment();
    socket.answerByMs = 0;
    socket.isExcused = false;
  };
  return { socket, silent, liveness, hear, pings: () => pings, beats: () => beats };
}

it('a socket that is heard is not pinged', () => {
  const { liveness, hear, pings } = watched();
  liveness.start();
  for (let n = 0; n < 20; n++) {
    vi.advanceTimersByTime(5_000);
    hear();
  }
  expect(pings()).toBe(0);
});

it('there is a beat a heartbeat, also where pings are not needed', () => {
  const { liveness, hear, beats } = watched();
  liveness.start();
  for (let n = 0; n < 60; n++) {
    vi.advanceTimersByTime(5_000);
    hear();
  }
  expect(beats()).toBeGreaterThanOrEqual(20);
});

it('a silent socket is pinged after a heartbeat and given up ten seconds later', () => {
  const { liveness, silent, pings } = watched();
  liveness.start();
  vi.advanceTimersByTime(14_900);
  expect(pings()).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect([pings(), silent.length]).toEqual([1, 0]);
  vi.advanceTimersByTime(200);
  expect(silent).toHaveLength(1);
});

it.each([-3_600_000, -5_000, 20_000, 3_600_000])('a clock set by %s ms changes nothing', (stepMs) => {
  const { liveness, silent, hear, pings } = watched();
  liveness.start();
  vi.setSystemTime(Date.now() + stepMs);
  vi.advanceTimersByTime(14_900);
  expect([pings(), silent.length]).toEqual([0, 0]);
  hear();
  vi.setSystemTime(Date.now() + stepMs);
  vi.advanceTimersByTime(25_100);
  expect(silent).toHaveLength(1);
});

/** Timers of a hidden page, or of a busy machine: each comes `lateMs` after it was due. */
const late = (lateMs: number): void => {
  const { setTimeout: onTime } = globalThis;
  vi.stubGlobal('setTimeout', (done: () => void, ms = 0) => onTime(done, ms + lateMs));
};

it.each([500, 1_500, 10_000, 60_000])(
  'a dead socket is noticed though every timer is %s ms late',
  (lateMs) => {
    late(lateMs);
    const { liveness, silent } = watched();
    liveness.start();
    vi.advanceTimersByTime(15_000 + 10_000 + 2_000 + 3 * lateMs + 100);
    expect(silent).toHaveLength(1);
  },
);

it.each([500, 1_500, 10_000, 60_000])(
  'one that answers is kept though every timer is %s ms late',
  (lateMs) => {
    const { setTimeout: onTime } = globalThis;
    late(lateMs);
    const { socket, liveness, silent, hear } = watched();
    socket.send = () => void onTime(hear, 50);
    liveness.start();
    vi.advanceTimersByTime(600_000);
    expect(silent).toHaveLength(0);
  },
);

it('an answered ping is followed by the next a heartbeat later', () => {
  const { liveness, silent, hear, pings } = watched();
  liveness.start();
  for (let n = 0; n < 10; n++) {
    vi.advanceTimersByTime(16_000);
    hear();
  }
  expect(pings()).toBeGreaterThanOrEqual(9);
  expect(silent).toHaveLength(0);
});

it('a machine that slept does not take its own sleep for the silence of the edge', () => {
  const { liveness, silent, hear } = watched();
  liveness.start();
  vi.advanceTimersByTime(16_000);
  // The timer is due, and with it all that the edge has sent meanwhile: it is read after the timer.
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(silent).toHaveLength(0);
  hear();
  vi.advanceTimersByTime(5_000);
  expect(silent).toHaveLength(0);
  clock.mockRestore();
});

it('a probe wants its answer within five seconds', () => {
  const { liveness, silent, pings } = watched();
  liveness.start();
  liveness.probe();
  expect(pings()).toBe(1);
  vi.advanceTimersByTime(5_001);
  expect(silent).toHaveLength(1);
});
