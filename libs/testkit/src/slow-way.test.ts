import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { SlowWay } from './slow-way.js';

it('holds bytes up, and passes them on unchanged and in order', async () => {
  const way = new SlowWay(5);
  const began = performance.now();
  const passed = text(Readable.from(['a', 'b', 'c'].map((each) => Buffer.from(each))).pipe(way));
  expect(await passed).toBe('abc');
  expect(performance.now() - began).toBeGreaterThanOrEqual(14);
});

it('that is told to hold up no more lets what follows pass at once', async () => {
  const way = new SlowWay(60_000);
  way.holdMs = 0;
  expect(await text(Readable.from([Buffer.from('at once')]).pipe(way))).toBe('at once');
});
