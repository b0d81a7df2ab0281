import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import { ClientError } from './errors.js';
import { StatusFeed } from './status.js';

let printed: MockInstance<typeof console.error>;
beforeEach(() => {
  printed = vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  printed.mockRestore();
});

const failure = new Error('mine');
const handlerError = { type: 'handler-error', error: failure, id: '1', name: 'order' } as const;

it('what goes wrong and nobody listens for is printed once a kind, with where it is heard', () => {
  const status = new StatusFeed();
  for (let n = 0; n < 3; n++) {
    status.emit(handlerError);
    status.emit({ type: 'unhandled', id: '2', name: 'late' });
    status.emit({ type: 'duplicate-id', id: '3', name: 'twice', count: n + 1 });
  }
  const why = new ClientError('unauthorized', 'no such token');
  status.emit({ type: 'closed', error: why });
  expect(printed.mock.calls).toEqual([
    [expect.stringContaining('handler-error'), handlerError],
    [expect.stringContaining('unhandled'), { type: 'unhandled', id: '2', name: 'late' }],
    [expect.stringContaining('duplicate-id'), { type: 'duplicate-id', id: '3', name: 'twice', count: 1 }],
    [expect.stringContaining('closed'), { type: 'closed', error: why }],
  ]);
});

it('what is as it should be is not printed, nor what a listener hears, but what only the client itself hears', () => {
  const status = new StatusFeed();
  status.listen(() => {});
  status.emit({ type: 'closed' });
  status.emit({ type: 'gap', reason: 'overflow' });
  const stop = status.listen(() => {}, true);
  status.emit(handlerError);
  expect(printed).not.toHaveBeenCalled();
  stop();
  stop();
  status.emit(handlerError);
  expect(printed).toHaveBeenCalledOnce();
});

it('a listener is one a call, also of one function', () => {
  const status = new StatusFeed();
  let heard = 0;
  const listener = () => void heard++;
  const stop = status.listen(listener);
  status.listen(listener);
  stop();
  stop();
  status.emit({ type: 'closed' });
  expect(heard).toBe(1);
});
