import { describe, expect, it } from 'vitest';
import { AddressError, areBrokerAddresses, brokerAddresses } from './addresses.js';

const hrefs = (text: string) => brokerAddresses(text).map(({ href }) => href);

describe('broker addresses', () => {
  it.each([
    ['amqp://guest:guest@127.0.0.1:5672', ['amqp://guest:guest@127.0.0.1:5672']],
    ['amqps://u:p@a/v, amqp://u:p@[::1]:5673/v', ['amqps://u:p@a/v', 'amqp://u:p@[::1]:5673/v']],
    ['amqp://u:p,q@a,amqp://u:p,q@b?heartbeat=5', ['amqp://u:p,q@a', 'amqp://u:p,q@b?heartbeat=5']],
    ['amqp://a,amqp://b,amqp://c', ['amqp://a', 'amqp://b', 'amqp://c']],
  ])('of %s keep their order', (text, expected) => {
    expect(hrefs(text)).toEqual(expected);
    expect(areBrokerAddresses(text)).toBe(true);
  });

  it.each([
    '',
    'rabbit',
    'rabbit:5672',
    'http://u:secret@a',
    'amqp://u:secret@a,http://b',
    'http://b,amqp://u:secret@a',
    'amqp://a,b',
    'amqp://a,',
    ',amqp://a',
    'amqp://a:5672,,amqp://b',
    'amqp://u:secret@a:port',
    Array.from({ length: 33 }, (_, n) => `amqp://u:secret@h${n}`).join(),
  ])('are none of %j, and the password is not shown', (text) => {
    expect(areBrokerAddresses(text)).toBe(false);
    let message = '';
    try {
      brokerAddresses(text);
    } catch (error) {
      expect(error).toBeInstanceOf(AddressError);
      message = String(error);
    }
    expect(message).not.toBe('');
    expect(message).not.toContain('secret');
  });
});
