import { describe, expect, it } from 'vitest';
import { parseAmqpUrl, withoutPassword } from './amqp-url.js';

describe('broker URLs', () => {
  it('are shown without their password', () => {
    expect(withoutPassword('amqp://guest:s3cret@host:5672/v')).toBe('amqp://guest:***@host:5672/v');
    expect(withoutPassword('amqps://u:p%40ss@[::1]/')).not.toContain('p%40ss');
    expect(withoutPassword('nonsense s3cret')).not.toContain('s3cret');
  });

  it('are only those of AMQP', () => {
    expect(parseAmqpUrl('amqp://host')).toBeDefined();
    expect(parseAmqpUrl('http://host')).toBeUndefined();
    expect(parseAmqpUrl('host:5672')).toBeUndefined();
    expect(parseAmqpUrl('amqp://a:5672,amqp://b:5672')).toBeUndefined();
  });
});
