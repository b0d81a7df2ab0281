import { expect, it, vi } from 'vitest';
import { Askable } from './askable.js';

it('an edge can be asked once commands arrive, or its name is its own; all that wait go on together', async () => {
  let [commands, name]: [true | string, string | undefined] = ['no queue', 'not made yet'];
  const askable = new Askable({ commands: { readiness: () => commands }, name: { note: () => name } });
  const waits = [askable.when(), askable.when()];
  expect(waits[0]).toBe(waits[1]);
  let isOver = false;
  void waits[0]?.then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(isOver).toBe(false);
  commands = true;
  await vi.waitFor(() => expect(isOver).toBe(true));
  expect(askable.when()).toBeUndefined();
  [commands, name] = ['no queue', undefined];
  expect(askable.when()).toBeUndefined();
  name = 'taken';
  expect(askable.when()).toBeInstanceOf(Promise);
});
