import { describe, expect, it } from 'vitest';
import { redactUrl } from './errors.js';

describe('redactUrl', () => {
  it('never shows a password', () => {
    expect(redactUrl('amqp://user:s3cret@host:5672/v')).toBe('amqp://user:***@host:5672/v');
    expect(redactUrl('not a url user:s3cret@host')).toBe('***@host');
  });

  it('leaves an address without a password as it is', () => {
    expect(redactUrl('amqp://host:5672')).toBe('amqp://host:5672');
  });
});
