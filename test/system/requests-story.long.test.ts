import { expect, test } from 'vitest';
import { playStory } from '../support/story.js';

test('requests are answered once, and answers in parts are whole and in order, while all sessions move and an edge is killed', async () => {
  const { held, failures, moved, calling, requests, streams } = await playStory<{
    held: boolean;
    failures: string[];
    moved: number;
    calling: { disconnects: number }[];
    requests: { answered: number };
    streams: { answered: number; parts: number };
  }>('requests', '--sessions', '60', '--requests', '1200', '--streams', '240', '--rate', '60');
  expect(failures).toEqual([]);
  expect(held).toBe(true);
  expect(moved).toBe(60);
  expect(calling.some(({ disconnects }) => disconnects > 0)).toBe(true);
  expect(requests.answered).toBeGreaterThan(1_150);
  expect(streams.answered).toBeGreaterThan(230);
  expect(streams.parts).toBeGreaterThanOrEqual(50 * streams.answered);
});
