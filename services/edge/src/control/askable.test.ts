import { expect, it, onTestFinished, vi } from 'vitest';
import { Askable } from './askable.js';

it('an edge can be asked once commands arrive, or its name is its own; all that wait go on together', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  let [commands, name]: [true | string, string | undefined] = ['no queue', 'not made yet'];
  const askable = new Askable({ commands: { readiness: () => commands }, name: { note: () => name } });
  const waits = [askable.when(), askable.when()];
  expect(waits[0]).toBe(waits[1]);
  let isOver = false;
  void waits[0]?.then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(isOver).toBe(false);
  commands = true;
  await vi.advanceTimersByTimeAsync(50);
  expect([isOver, vi.getTimerCount()]).toEqual([true, 0]);
  expect(askable.when()).toBeUndefined();
  [commands, name] = ['no queue', undefined];
  expect(askable.when()).toBeUndefined();
  name = 'taken';
  expect(askable.when()).toBeInstanceOf(Promise);
});
