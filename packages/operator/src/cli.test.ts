import { expect, it } from 'vitest';
import { TestTerminal } from '../testing/printed.js';
import { run } from './cli.js';

it.each([
  [['drain', '--json'], "missing required argument 'node'"],
  [['status', '--json', '--wide', '--sorted'], "unknown option '--sorted'"],
  [['statos', '--json'], "unknown command 'statos'"],
  [['status', '--sort', 'name', '--json'], "argument 'name' is invalid"],
  [['drain', 'a b', '--deadline', '-1', '--json'], 'is invalid'],
  [['local', '--json'], "unknown option '--json'"],
  [['completion', '--json'], "unknown option '--json'"],
  [['--json'], "unknown option '--json'"],
])('%j is wrong usage: one object on standard output, exit status 2', async (words, why) => {
  const terminal = new TestTerminal();
  expect(await run(words, terminal)).toBe(2);
  expect(terminal.errors).toContain(why);
  const { ok, error } = JSON.parse(terminal.text);
  expect([ok, error.code]).toEqual([false, 'usage']);
  expect(error.message).toContain(why);
  expect(error.message).not.toMatch(/^error: |\n$/);
});

it('without --json wrong usage leaves standard output empty; help is no wrong usage', async () => {
  const terminal = new TestTerminal();
  expect(await run(['drain'], terminal)).toBe(2);
  expect(terminal.text).toBe('');
  expect(await run(['drain', '--help', '--json'], terminal)).toBe(0);
  expect(terminal.text).toMatch(/^Usage: /);
});
