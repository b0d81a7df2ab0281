import { AddressError } from '@evenkeel/pace';
import { describe, expect, it } from 'vitest';
import { amqpAddresses, withoutPassword } from './amqp-url.js';

describe('broker URLs', () => {
  it('are shown without their password', () => {
    expect(withoutPassword('amqp://guest:s3cret@host:5672/v')).toBe('amqp://guest:***@host:5672/v');
    expect(withoutPassword('amqps://u:p%40ss@[::1]/')).not.toContain('p%40ss');
    expect(withoutPassword('amqp://a:s3cret@x,amqp://b:s3cret@y')).toBe('amqp://a:***@x,amqp://b:***@y');
    expect(withoutPassword('nonsense s3cret')).not.toContain('s3cret');
  });

  it('are only those of AMQP, one or several', () => {
    expect(amqpAddresses('amqp://host')).toEqual(['amqp://host']);
    expect(amqpAddresses('amqp://a:5673,amqps://b')).toEqual(['amqp://a:5673', 'amqps://b']);
    for (const wrong of ['http://host', 'host:5672', 'amqp://a,b', 'amqp://a:5672,http://b', ''])
      expect(amqpAddresses(wrong)).toBeInstanceOf(AddressError);
  });
});
