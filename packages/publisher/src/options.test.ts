import { describe, expect, it } from 'vitest';
import { checkPublisherOptions, servingOf } from './options.js';
import type { CreatePublisherOptions, ServeOptions } from './types.js';

const bad = (message: RegExp) =>
  expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) });

describe('options that cannot work are refused with what to give:', () => {
  it.each([
    [{ graceMs: -1 }, /graceMs is -1; give a whole number from 0/],
    [{ graceMs: 2 ** 32 }, /graceMs/],
    [{ graceMs: 1, durable: true }, /durable.*graceMs alone/],
    [{ concurrency: 0 }, /concurrency/],
    [{ prefetch: Number.POSITIVE_INFINITY }, /prefetch/],
    [{ handlerTimeoutMs: 0 }, /handlerTimeoutMs.*or Infinity/],
    [{ handlerTimeoutMs: 2 ** 31 }, /handlerTimeoutMs/],
    [{ handlerTimeoutMs: '5' }, /handlerTimeoutMs is a string/],
    [{ order: 'room' }, /order is a string; give one of session, key, none/],
    [{ retryDelaysMs: 3 }, /retryDelaysMs is 3; give an array/],
    [{ retryDelaysMs: [-1] }, /retryDelaysMs is -1/],
    [{ queue: '' }, /queue is empty/],
  ])('%j', (options, message) => {
    expect(() => servingOf(options as ServeOptions)).toThrow(bad(message));
  });

  it.each([
    [{}, /name is undefined/],
    [{ name: '' }, /name is empty/],
    [{ name: 'a', attempts: 0 }, /attempts/],
    [{ name: 'a', timeoutMs: Number.NaN }, /timeoutMs is NaN/],
    [{ name: 'a', closeTimeoutMs: -1 }, /closeTimeoutMs/],
  ])('%j', (options, message) => {
    expect(() => checkPublisherOptions(options as CreatePublisherOptions)).toThrow(bad(message));
  });
});

it('no limit is Infinity, where there may be none', () => {
  const none = Number.POSITIVE_INFINITY;
  expect(servingOf({ graceMs: none, handlerTimeoutMs: none })).toMatchObject({
    graceMs: none,
    handlerTimeoutMs: none,
  });
  checkPublisherOptions({ amqpUrl: 'amqp://x', name: 'a', attempts: none, timeoutMs: none });
});
