import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClientError } from './errors.js';
import { type Status, StatusFeed } from './status.js';

function printed(): unknown[][] {
  const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => spy.mockRestore());
  return spy.mock.calls;
}

const handlerError: Status = { type: 'handler-error', error: new Error('mine'), id: '1', name: 'order' };
const refused: Status = { type: 'closed', error: new ClientError('unauthorized', 'give a token') };

describe('where nobody listens', () => {
  it.each([
    ['an error of a handler', handlerError],
    ['an end that nobody asked for', refused],
  ])('%s is printed on the console', (_, status) => {
    const lines = printed();
    new StatusFeed().emit(status);
    expect(lines).toEqual([[`evenkeel: ${status.type}`, 'error' in status && status.error]]);
  });

  it('nothing else is printed', () => {
    const lines = printed();
    const feed = new StatusFeed();
    feed.emit({ type: 'closed' });
    feed.emit({ type: 'gap', reason: 'overflow' });
    expect(lines).toEqual([]);
  });
});

it('a listener is told, and nothing is printed', () => {
  const lines = printed();
  const feed = new StatusFeed();
  const told: Status[] = [];
  feed.listen((status) => told.push(status));
  feed.emit(handlerError);
  feed.emit(refused);
  expect(told).toEqual([handlerError, refused]);
  expect(lines).toEqual([]);
});
