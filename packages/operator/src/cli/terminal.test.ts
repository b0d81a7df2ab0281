import { expect, it, onTestFinished, vi } from 'vitest';
import { processTerminal } from './terminal.js';

/** What the process says and exits with where writing to standard output fails so. */
function failing(code: string | undefined, message: string) {
  onTestFinished(() => void vi.restoreAllMocks());
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as () => never);
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  // Nothing is left behind in the process of the tests.
  vi.spyOn(process, 'on').mockReturnThis();
  const on = vi.spyOn(process.stdout, 'on').mockReturnThis();
  processTerminal(true);
  const error = Object.assign(new Error(message), { code });
  const listeners: [string, (error: Error) => void][] = on.mock.calls.map(([name, fn]) => [String(name), fn]);
  for (const [name, listener] of listeners) if (name === 'error') listener(error);
  return { exits: exit.mock.calls.flat(), text: said.mock.calls.map(([text]) => text).join('') };
}

it.each([
  ['EPIPE', 'write EPIPE', 0, ''],
  ['ENOSPC', 'ENOSPC: no space left', 1, 'standard output takes no more: ENOSPC: no space left (ENOSPC)\n'],
  [undefined, 'gone', 1, 'standard output takes no more: gone (failed)\n'],
])(
  'where standard output takes no more with %s, %j, the process exits with %i',
  (code, message, exits, text) => {
    expect(failing(code, message)).toEqual({ exits: [exits], text: text && `evenkeel: ${text}` });
  },
);
