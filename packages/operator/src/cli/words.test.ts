import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { wordsOf } from './words.js';

/** Asks at these times, ms after the first, and counts how often the mesh is asked. */
function cached() {
  const parent = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const folder = join(parent, 'words');
  let asked = 0;
  const at = (offsetMs: number, words: () => string[] = () => ['edge-1', 'edge-2'], url = 'amqp://a') =>
    wordsOf(
      'nodes',
      url,
      async () => {
        asked += 1;
        return words();
      },
      { folder, nowMs: () => Date.now() + offsetMs },
    );
  return { at, folder, asked: () => asked };
}

it('words are asked for once in five seconds, of each mesh', async () => {
  const { at, asked } = cached();
  expect(await at(0)).toEqual(['edge-1', 'edge-2']);
  expect(await at(3_000, () => ['edge-9'])).toEqual(['edge-1', 'edge-2']);
  expect(asked()).toBe(1);
  expect(await at(0, () => ['other'], 'amqp://b')).toEqual(['other']);
  expect(await at(6_000, () => ['edge-9'])).toEqual(['edge-9']);
  expect(asked()).toBe(3);
});

it('words that would mean anything to a shell are left out', async () => {
  const { at } = cached();
  expect(await at(0, () => ['ok-1', '$(reboot)', '`x`', 'a b', ''])).toEqual(['ok-1']);
});

it('there are no words, and no error, where nobody answers', async () => {
  const { at } = cached();
  const failing = () => {
    throw new Error('unreachable');
  };
  expect(await at(0, failing)).toEqual([]);
});

it('the words are in a folder that nobody else may write to', async () => {
  const { at, folder } = cached();
  await at(0);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  chmodSync(folder, 0o777);
  expect(await at(0, () => ['mine'])).toEqual(['mine']);
});
