import { describe, expect, it } from 'vitest';
import { AddressError, areBrokerAddresses, brokerAddresses, shuffledAddresses } from './addresses.js';

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
    'amqp:u:secret@a',
    'amqp:/a',
    'amqp:,amqp://a',
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

describe('shuffled broker addresses', () => {
  const list = 'amqp://u:p%2C@a:1/v%2Fw?heartbeat=5,amqp://b,amqps://c';

  it('are the same, whole, in an order of chance', () => {
    const ranks = [0.9, 0.1, 0.5];
    const shuffled = shuffledAddresses(list, () => ranks.shift() ?? 0);
    expect(shuffled).toBe('amqp://b,amqps://c,amqp://u:p%2C@a:1/v%2Fw?heartbeat=5');
    expect(hrefs(shuffled).sort()).toEqual(hrefs(list).sort());
  });

  it.each(['amqp://u:p,q@a', 'rabbit', 'amqp://a,b'])('of %s leave it as it is', (text) => {
    expect(shuffledAddresses(text, () => 0)).toBe(text);
  });
});
