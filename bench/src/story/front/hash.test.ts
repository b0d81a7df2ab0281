import { describe, expect, test } from 'vitest';
import { addressOf } from './addresses.js';
import { haproxySource, nginxIpHash, type Server } from './hash.js';

const addresses = Array.from({ length: 46 }, (_, n) => addressOf(n));
const up = (...weights: number[]): Server[] => weights.map((weight) => ({ weight, isUp: true }));
const secondDown: Server[] = up(1, 1, 1).map((server, n) => ({ ...server, isUp: n !== 1 }));
/** The number of the server of each address. */
const answersOf = (hash: typeof nginxIpHash, servers: readonly Server[]): string =>
  addresses.map((address) => hash(address, servers)).join('');

test('every client has an address of its own', () => {
  expect(new Set(addresses).size).toBe(addresses.length);
});

// Written down from nginx 1.22.1.
describe('nginx sends each address where it is counted to', () => {
  test.each([
    ['two servers', up(1, 1), '1010010100101101010101001011010110100101001010'],
    ['three servers', up(1, 1, 1), '0011200112000220001112211120111200110001100011'],
    ['four servers', up(1, 1, 1, 1), '3210032100321103212123221033210332100321003210'],
    ['weights 3, 1, 2', up(3, 1, 2), '1002010020101201012022020221202210020100201002'],
    ['weights 4, 2, 6', up(4, 2, 6), '0201202012022120222022020120201202010020100201'],
    ['the second of three down', secondDown, '0020200202000220000202222020202200020002000022'],
  ])('%s', (_, servers, answers) => {
    expect(answersOf(nginxIpHash, servers)).toBe(answers);
  });

  test('any, where all are down', () => {
    expect(nginxIpHash('127.1.2.3', [{ weight: 1, isUp: false }])).toBeUndefined();
  });
});

// Written down from HAProxy 2.6.12.
describe('HAProxy sends each address where it is counted to', () => {
  test.each([
    ['two servers', up(1, 1), '0110011001100110011011001100110011001100100110'],
    ['three servers', up(1, 1, 1), '0022012011001201221110222012011001201221120022'],
    ['four servers', up(1, 1, 1, 1), '0332211003322110033211203322110033221100322110'],
    ['weights 3, 1, 2', up(3, 1, 2), '0022002010001201220100222012001000200221020022'],
    ['weights 4, 2, 6', up(4, 2, 6), '0220022012201221022122002210221022002201200220'],
    ['the second of three down', secondDown, '0220022002200220022022002200220022002200200220'],
  ])('%s', (_, servers, answers) => {
    expect(answersOf(haproxySource, servers)).toBe(answers);
  });

  test('nowhere, where all are down', () => {
    expect(haproxySource('127.1.2.3', [{ weight: 1, isUp: false }])).toBeUndefined();
  });
});
