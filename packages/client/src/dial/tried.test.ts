import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withTried } from './tried.js';
import { whyFailed } from './why.js';

const nodes = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'));

it('at most eight nodes are named as tried, none twice, the newest first', () => {
  fc.assert(
    fc.property(nodes, (failed) => {
      const tried = failed.reduce(withTried, []);
      expect(tried.length).toBeLessThanOrEqual(8);
      expect(new Set(tried).size).toBe(tried.length);
      expect(tried[0]).toBe(failed.at(-1));
    }),
  );
});

it('a node that fails again is the only one named: the others are worth another try', () => {
  expect(['a', 'b', 'c', 'a'].reduce(withTried, [])).toEqual(['a']);
});

it.each([
  [1006, 'Unexpected server response: 401', { code: 'http-401', reason: 'a at ws://a/ws answered 401' }],
  [1006, 'connect ECONNREFUSED', { code: 1006, reason: 'a at ws://a/ws: connect ECONNREFUSED' }],
  [1006, '', { code: 1006, reason: 'a at ws://a/ws: refused, or not reached' }],
  [4006, 'broker-unavailable', { code: 4006, reason: 'broker-unavailable' }],
  [4006, '', { code: 4006, reason: 'a at ws://a/ws closed before welcome' }],
  [4010, 'wrong-edge', { code: 4010, reason: 'what answers for a at ws://a/ws is another edge' }],
  [
    4010,
    'ws://b/ws',
    { code: 4010, reason: 'what answers for a at ws://a/ws is another edge; it is at ws://b/ws' },
  ],
] as const)('a dial that ended with %i %s is reported with what is known', (code, reason, expected) => {
  expect(whyFailed({ node: 'a', url: 'ws://a/ws' }, code, reason)).toEqual(expected);
});
