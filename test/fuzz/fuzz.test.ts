import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { corpusOf, keep } from './corpus.js';
import { Coverage } from './coverage.js';
import { type FuzzOptions, fuzz, warmUp } from './fuzz.js';
import { Broken, type Target } from './target.js';
import { sharedFor, watched } from './watch.js';

const most = 20_000;
const corpus = [{ name: 'order', input: Buffer.from('{"order":{"number":7}}') }];
const targetOf = (run: Target['run']): Target => ({
  name: 'x',
  about: '',
  words: ['order', 'number', 'lines'],
  maxBytes: 4_096,
  run,
});
const fuzzed = (target: Target, options: Partial<FuzzOptions> = {}) =>
  fuzz({ target, seed: 1, corpus, isOver: (made, faults) => made >= most || faults >= 1, ...options });

/** What V8 says of the planted parser, which is loaded only now. */
async function plantedWithCoverage() {
  await warmUp(corpus);
  const coverage = new Coverage((url) => /\/fuzz\/planted[.]/.test(url));
  onTestFinished(() => coverage.stop());
  const { planted } = await import('./planted.js');
  return { planted, coverage };
}

it('finds a fault that is planted behind a nested shape', async () => {
  const { planted, coverage } = await plantedWithCoverage();
  const near = [{ name: 'lines', input: Buffer.from('{"order":{"number":7,"lines":[{"price":1}]}}') }];
  const { faults, fresh, reached, reachedBefore } = await fuzzed(planted, { coverage, corpus: near });
  expect(faults.map(({ key }) => key)).toEqual(['an order has no line that is none']);
  // Shrunk: two lines are needed, and little else.
  expect(JSON.parse(String(faults[0]?.input))).toMatchObject({ order: { lines: expect.any(Array) } });
  expect(faults[0]?.input.length).toBeLessThan(60);
  expect(fresh.length).toBeGreaterThan(0);
  expect(reached).toBeGreaterThan(reachedBefore);
}, 120_000);

it('makes the same inputs of the same seed, and others of another', async () => {
  const inputsOf = async (seed: number) => {
    const inputs: string[] = [];
    const run = (input: Buffer) => void inputs.push(input.toString('latin1'));
    await fuzzed(targetOf(run), { seed, isOver: (made) => made >= 640 });
    return inputs;
  };
  const [first, again, other] = [await inputsOf(5), await inputsOf(5), await inputsOf(6)];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(500);
});

it('tells faults apart by what has to hold, and by where an error comes from, each once', async () => {
  const target = targetOf((input) => {
    if (input.length > 60) throw new Broken('it is short', input.length);
    if (input.includes('null')) JSON.parse('{');
  });
  const { faults } = await fuzzed(target, { isOver: (made, found) => made >= most || found >= 2 });
  expect(faults.map(({ key }) => key).sort()).toEqual([
    expect.stringMatching(/^SyntaxError in .* of fuzz[.]test[.]ts$/),
    'it is short',
  ]);
  expect(faults.map(({ input }) => input.length).sort((a, b) => a - b)).toEqual([4, 61]);
});

it('finds what pollutes a prototype, and takes it out again', async () => {
  const target = targetOf((input) => {
    const [, name] = /"(__proto__)"/.exec(input.toString('utf8')) ?? [];
    const into: Record<string, Record<string, unknown>> = {};
    if (name !== undefined) Object.assign(into[name] ?? {}, { polluted: 1 });
  });
  const { faults } = await fuzzed(target);
  expect(faults.map(({ message }) => message)).toEqual(['pollutes a prototype: polluted']);
  expect('polluted' in {}).toBe(false);
});

it('finds what takes more work than the length of its input explains, without a clock', async () => {
  const { coverage } = await plantedWithCoverage();
  const target = targetOf((input) => {
    let found = 0;
    if (input.includes('[[')) for (let n = 0; n < 2_500_000; n += 1) if (n % 2 === 0) found += 1;
    return void found;
  });
  const { faults } = await fuzzed(target, { coverage });
  expect(faults.map(({ key }) => key)).toEqual(['takes more work than its length explains']);
}, 120_000);

it('ends a thread that hangs, and has the input with which it does', async () => {
  const code = `
    const { shared, input } = require('node:worker_threads').workerData;
    new Uint8Array(shared, 8).set(Buffer.from(input));
    Atomics.store(new Int32Array(shared), 1, input.length);
    for (;;);`;
  const shared = sharedFor(100);
  const worker = new Worker(code, { eval: true, workerData: { shared, input: '{"a":[' } });
  const ended = await watched(worker, shared, { looks: 4, lookMs: 50 });
  expect(ended).toMatchObject({ is: 'hung', input: Buffer.from('{"a":[') });
});

it('has the input that a thread has died of', async () => {
  const code = `
    const { shared } = require('node:worker_threads').workerData;
    new Uint8Array(shared, 8)[0] = 97;
    Atomics.store(new Int32Array(shared), 1, 1);
    throw new Error('gone');`;
  const shared = sharedFor(100);
  const worker = new Worker(code, { eval: true, workerData: { shared } });
  expect(await watched(worker, shared)).toEqual({
    is: 'died',
    input: Buffer.from('a'),
    why: 'Error: gone',
  });
});

it('keeps inputs as files, which are read again in the order of their names', () => {
  const dir = mkdtempSync(join(tmpdir(), 'evenkeel-fuzz-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  keep('x', 'b', Buffer.from([0xff]), dir);
  keep('x', 'a', Buffer.from('1'), dir);
  expect(corpusOf('x', dir)).toEqual([
    { name: 'a', input: Buffer.from('1') },
    { name: 'b', input: Buffer.from([0xff]) },
  ]);
  expect(corpusOf('y', dir)).toEqual([]);
});
