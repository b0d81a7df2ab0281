import { describe, expect, it } from 'vitest';
import { Room } from './room.js';

const roomOf = (capacity: number, maxPending: number, openFiles: number | undefined) => {
  const room = new Room({ capacity, maxPending });
  const isLowered = room.fit(openFiles);
  return { capacity: room.capacity, maxPending: room.maxPending, isLowered };
};

describe('the room of an edge', () => {
  it('is as it was set where the process may open enough files, or any number', () => {
    const asSet = { capacity: 16_000, maxPending: 1_000, isLowered: false };
    expect(roomOf(16_000, 1_000, undefined)).toEqual(asSet);
    expect(roomOf(16_000, 1_000, 17_128)).toEqual(asSet);
  });

  it('is lowered so that clients never reach the limit of open files', () => {
    for (const openFiles of [214, 400, 1_024, 4_096, 17_127]) {
      const { capacity, maxPending, isLowered } = roomOf(16_000, 1_000, openFiles);
      expect(isLowered).toBe(true);
      expect(capacity + maxPending + 128).toBeLessThanOrEqual(openFiles);
      expect(capacity).toBeGreaterThanOrEqual(64);
      expect(maxPending).toBeGreaterThanOrEqual(16);
    }
  });

  it('is refused under 64 connections, with the limit to set', () => {
    expect(() => roomOf(16_000, 1_000, 200)).toThrow(/open 200 files.*54 connections.*to 17128$/);
    expect(() => roomOf(16_000, 1_000, 50)).toThrow(/0 connections/);
    expect(roomOf(10, 1_000, 200).capacity).toBe(10);
  });

  it('is as an operator sets it, as far as the limit of open files leaves, until that is taken back', () => {
    const room = new Room({ capacity: 100, maxPending: 50 });
    room.fit(1_000);
    room.setCapacity(200);
    expect(room.capacity).toBe(200);
    room.setCapacity(5_000);
    expect(room.capacity).toBe(1_000 - 128 - 50);
    room.setCapacity(undefined);
    expect(room.capacity).toBe(100);
  });
});
