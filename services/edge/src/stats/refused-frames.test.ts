import { expect, it, onTestFinished, vi } from 'vitest';
import { Load } from '../session/load.js';
import { RefusedFrames } from './refused-frames.js';

it('says once in ten seconds how many frames were refused, by reason, and nothing where none were', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const load = new Load();
  const access = { forbidden: { publish: 0, subscribe: 0 } };
  const lines: object[] = [];
  const frames = new RefusedFrames({
    load,
    access,
    log: { info: (fields: object) => void lines.push(fields) },
  });
  frames.start();
  onTestFinished(() => frames.stop());
  load.refused.frames = 3_000;
  access.forbidden.publish = 2;
  vi.advanceTimersByTime(10_000);
  vi.advanceTimersByTime(10_000);
  load.metTopicLimit();
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([{ reasons: { frames: 3_000, forbidden: 2 } }, { reasons: { maxTopics: 1 } }]);
});
