import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeIfStale } from './made.js';

describe('what is made from sources', () => {
  let folder: string;
  let source: string;
  let output: string;
  let made: number;
  const write = async () => {
    made += 1;
    writeFileSync(output, '');
  };
  const making = () => ({
    made: output,
    stamp: join(folder, 'stamps', 'made.js'),
    sources: [join(folder, 'src'), join(folder, 'lock.json')],
    make: write,
  });
  const make = () => makeIfStale(making());
  const changed = (path: string, secondsAgo: number) => {
    const at = Date.now() / 1_000 - secondsAgo;
    utimesSync(path, at, at);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-made-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    source = join(folder, 'src', 'deep', 'a.ts');
    output = join(folder, 'made.js');
    made = 0;
    mkdirSync(join(folder, 'src', 'deep'), { recursive: true });
    mkdirSync(join(folder, 'src', 'dist'));
    writeFileSync(source, '');
    writeFileSync(join(folder, 'lock.json'), '');
    for (const path of ['src/deep/a.ts', 'src/deep', 'src', 'lock.json']) changed(join(folder, path), 60);
  });

  it('is made once', async () => {
    await make();
    await make();
    expect(made).toBe(1);
  });

  it.each([
    ['a source has changed', () => changed(source, -1)],
    ['a source is gone', () => rmSync(source)],
    ['a source is new', () => writeFileSync(join(folder, 'src', 'deep', 'b.ts'), '')],
    ['the lock file has changed', () => changed(join(folder, 'lock.json'), -1)],
    ['what was made is gone', () => rmSync(output)],
  ])('is made again when %s', async (_, happen) => {
    await make();
    // The times of files are coarse.
    await pause(20);
    happen();
    await make();
    expect(made).toBe(2);
  });

  it('is not made again for what is made itself', async () => {
    await make();
    const dist = join(folder, 'src', 'dist');
    writeFileSync(join(dist, 'a.js'), '');
    changed(join(folder, 'src'), 60);
    await make();
    expect(made).toBe(1);
  });

  it('is made again after it failed', async () => {
    const make = () => Promise.reject(new Error('too large'));
    const failing = makeIfStale({ ...making(), make });
    await expect(failing).rejects.toThrow('too large');
    await makeIfStale(making());
    expect(made).toBe(1);
  });

  it('is made again when a source changes while it is made', async () => {
    const make = async () => {
      await write();
      changed(source, -1);
    };
    await makeIfStale({ ...making(), make });
    await makeIfStale(making());
    expect(made).toBe(2);
  });
});
