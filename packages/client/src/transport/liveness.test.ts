import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EdgeSocket } from './edge-socket.js';
import { Liveness } from './liveness.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  let pings = 0;
  const socket = {
    isOpen: true,
    isGone: false,
    heardAtMs: Date.now(),
    answerByMs: 0,
    send: () => void pings++,
  };
  const silent: unknown[] = [];
  const liveness = new Liveness(
    15_000,
    () => [socket as unknown as EdgeSocket, undefined],
    (l) => silent.push(l),
  );
  const hear = (): void => {
    socket.heardAtMs = Date.now();
    socket.answerByMs = 0;
  };
  return { socket, silent, liveness, hear, pings: () => pings };
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

it('a silent socket is pinged after a heartbeat and given up after two', () => {
  const { liveness, silent, pings } = watched();
  liveness.start();
  vi.advanceTimersByTime(14_000);
  expect(pings()).toBe(0);
  vi.advanceTimersByTime(15_000);
  expect([pings(), silent.length]).toEqual([1, 0]);
  vi.advanceTimersByTime(2_000);
  expect(silent).toHaveLength(1);
});

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
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(15_000);
  expect(silent).toHaveLength(0);
  hear();
  vi.advanceTimersByTime(5_000);
  expect(silent).toHaveLength(0);
});

it('a probe wants its answer within five seconds', () => {
  const { liveness, silent, pings } = watched();
  liveness.start();
  liveness.probe();
  expect(pings()).toBe(1);
  vi.advanceTimersByTime(5_001);
  expect(silent).toHaveLength(1);
});
