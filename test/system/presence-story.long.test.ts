import { expect, test } from 'vitest';
import { playStory } from '../support/story.js';

test('three observers on three edges are told who comes and goes, once and in time, over moves, reloads and a killed edge', async () => {
  const { held, failures, observers, kills } = await playStory<{
    held: boolean;
    failures: string[];
    observers: { joined: number; left: number; falseLeaves: number }[];
    kills: { returned: number; gone: number }[];
  }>('presence', '--sessions', '60', '--edges', '3', '--moves', '150');
  expect(failures).toEqual([]);
  expect(held).toBe(true);
  expect(observers).toHaveLength(3);
  for (const { joined, left, falseLeaves } of observers) {
    expect(joined).toBeGreaterThan(50);
    expect(left).toBeGreaterThan(5);
    expect(falseLeaves).toBe(0);
  }
  for (const { returned, gone } of kills) expect(Math.min(returned, gone)).toBeGreaterThan(0);
});
