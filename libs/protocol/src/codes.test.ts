import { expect, it } from 'vitest';
import { afterClose, closeCodes } from './codes.js';

it('what a client does after a close is what the table says, without the table', () => {
  for (const { code, after } of Object.values(closeCodes)) expect(afterClose(code)).toBe(after);
});

it.each([
  [1006, 'backoff'],
  [1008, 'stop'],
  [4099, 'backoff'],
  [4500, 'stop'],
  [4999, 'stop'],
  [5000, 'backoff'],
])('a code that is not in the table follows its range: %s, %s', (code, after) => {
  expect(afterClose(code)).toBe(after);
});
