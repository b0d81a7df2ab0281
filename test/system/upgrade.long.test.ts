import { expect, test } from 'vitest';
import { playStory } from '../support/story.js';

test('a mesh of the release before becomes one of this commit and goes back, and nobody loses, repeats or reorders an event', async () => {
  const { held, failures, groups } = await playStory<{
    held: boolean;
    failures: string[];
    groups: { lost: number; repeated: number; reordered: number }[];
  }>('upgrade', '--sessions', '60', '--rate', '50', '--topics', '8');
  expect(failures).toEqual([]);
  expect(held).toBe(true);
  for (const { lost, repeated, reordered } of groups) expect([lost, repeated, reordered]).toEqual([0, 0, 0]);
});
