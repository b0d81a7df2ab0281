import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, clientAddress, isLoopback, type Way } from './client-address.js';

const proxy = '10.0.0.1';
const behind = (trustedHops: number, way: Partial<Way>) =>
  clientAddress({ socket: proxy, ...way }, trustedHops);

describe("the client's address", () => {
  it("is the socket's while no proxy is trusted, whatever the headers and the PROXY protocol say", () => {
    const way = { forwardedFor: '6.6.6.6', forwarded: 'for=6.6.6.6', proxied: '6.6.6.6' };
    expect(behind(0, way)).toBe(proxy);
    expect(behind(1, {})).toBe(proxy);
  });

  it('is the n-th entry from the right, so that what the client has written itself does not count', () => {
    const forwardedFor = '6.6.6.6, 203.0.113.7, 10.0.0.2';
    expect(behind(1, { forwardedFor })).toBe('10.0.0.2');
    expect(behind(2, { forwardedFor })).toBe('203.0.113.7');
    expect(behind(2, { forwardedFor: ' ,6.6.6.6,203.0.113.7 ,, 10.0.0.2,' })).toBe('203.0.113.7');
    expect(behind(4, { forwardedFor })).toBe(proxy);
    const forwarded = 'for=6.6.6.6, for=203.0.113.7;proto=https;by=10.0.0.9,For="10.0.0.2"';
    expect(behind(1, { forwarded })).toBe('10.0.0.2');
    expect(behind(2, { forwarded })).toBe('203.0.113.7');
    expect(behind(4, { forwarded })).toBe(proxy);
  });

  it('counts the PROXY protocol as one step before the headers', () => {
    const way = { proxied: '10.0.0.2', forwardedFor: '6.6.6.6, 203.0.113.7' };
    expect(behind(1, way)).toBe('10.0.0.2');
    expect(behind(2, way)).toBe('203.0.113.7');
    expect(behind(1, { proxied: '203.0.113.7' })).toBe('203.0.113.7');
    expect(behind(2, { proxied: '203.0.113.7' })).toBe(proxy);
  });

  it("is neither header's where the two disagree: a proxy passes on the one that it does not write", () => {
    expect(behind(1, { forwardedFor: '203.0.113.7', forwarded: 'for=6.6.6.6' })).toBe(proxy);
    expect(behind(1, { forwardedFor: '203.0.113.7', forwarded: 'for="' })).toBe(proxy);
    expect(behind(1, { forwardedFor: '203.0.113.7', forwarded: 'for=203.0.113.7' })).toBe('203.0.113.7');
  });

  it.each([
    ['203.0.113.7:51000', '203.0.113.7'],
    ['2001:DB8:0:0:0:0:0:42', '2001:db8::42'],
    ['[2001:db8::42]', '2001:db8::42'],
    ['[2001:db8::42]:51000', '2001:db8::42'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8::42:5100', '2001:db8::42:5100'],
  ])('may be written as %s', (entry, address) => {
    expect(behind(1, { forwardedFor: entry })).toBe(address);
    expect(behind(1, { forwarded: `for="${entry}"` })).toBe(address);
    expect(behind(1, { proxied: entry })).toBe(address);
  });

  it("is short as a socket's too", () => {
    expect(clientAddress({ socket: '0000:0000:0000:0000:0000:ffff:7f00:0001' }, 0)).toBe('127.0.0.1');
    expect(clientAddress({ socket: '2001:0db8:0000:0000:0000:0000:0000:0042' }, 0)).toBe('2001:db8::42');
  });

  it.each([
    'unknown',
    '_hidden',
    '010.0.0.1',
    '1.2.3',
    '[1.2.3.4]',
    'fe80::1%eth0',
    '1.2.3.4:x',
    '"1.2.3.4"',
  ])("is the socket's where the entry is %s", (entry) => {
    expect(behind(1, { forwardedFor: entry })).toBe(proxy);
  });

  it.each([
    'for',
    'for=',
    'for=1.2.3.4;',
    'for=1.2.3.4 for=1.2.3.4',
    'for=1.2.3.4;for=1.2.3.4',
    'for=2001:db8::1',
    'by=1.2.3.4',
    'for="1.2.3.4',
    // An opening quote swallows what the proxy adds.
    'for=6.6.6.6, for=", for=203.0.113.7',
    'for=6.6.6.6, for=", for="[2001:db8::42]"',
    `for=1.2.3.4${' '.repeat(9_000)}`,
  ])("is the socket's where Forwarded is %j", (forwarded) => {
    expect(behind(1, { forwarded })).toBe(proxy);
  });

  it('reads escapes in quotes, and elements that say something else', () => {
    expect(behind(2, { forwarded: 'for="\\[2001:db8::42\\]";host="a,b;c", by=_x;proto=http' })).toBe(
      '2001:db8::42',
    );
    expect(behind(1, { forwarded: 'for=1.2.3.4, proto=http' })).toBe(proxy);
  });

  it('is never what stands left of the entries that proxies have written, whatever that is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (forged) => {
        expect(behind(1, { forwardedFor: `${forged},203.0.113.7` })).toBe('203.0.113.7');
        expect([proxy, '203.0.113.7']).toContain(behind(1, { forwarded: `${forged},for=203.0.113.7` }));
      }),
    );
  });
});

describe('what a limit per address counts by', () => {
  it('is the address itself, or of IPv6 the /64 network, in whatever form it is written', () => {
    expect(addressKey('203.0.113.7')).toBe('203.0.113.7');
    expect(addressKey('::ffff:203.0.113.7')).toBe('203.0.113.7');
    const network = '2001:db8:0:1::/64';
    for (const address of [
      '2001:db8:0:1::',
      '2001:db8:0:1::7',
      '2001:DB8:0:1:ff:0:0:2',
      '2001:db8:0:1:1::%eth0',
    ])
      expect(addressKey(address)).toBe(network);
    expect(addressKey('2001:db8:0:2::7')).toBe('2001:db8:0:2::/64');
    expect(addressKey('2001:db8::7')).toBe('2001:db8:0:0::/64');
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('1:2:3:4:5:6:7::')).toBe('1:2:3:4::/64');
    expect(addressKey('')).toBe('');
  });

  it('is one for all of a /64 and another for each other', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
    const half = fc.tuple(group, group, group, group).map((groups) => groups.join(':'));
    fc.assert(
      fc.property(half, half, half, (network, one, other) => {
        const key = addressKey(clientAddress({ socket: `${network}:${one}` }, 0));
        expect(addressKey(`${network}:${other}`)).toBe(key);
        expect(key.includes('::ffff') || key === `${network}::/64`).toBe(true);
      }),
    );
  });

  it("knows this machine's own addresses", () => {
    expect(['127.0.0.1', '127.8.8.8', '::1'].map(isLoopback)).toEqual([true, true, true]);
    expect(['128.0.0.1', '10.0.0.1', '::2', 'localhost', ''].some(isLoopback)).toBe(false);
  });
});
