import { expect, it } from 'vitest';
import { isLongHello } from './payload.js';

it('a hello may have twice the limit', () => {
  expect(isLongHello('{"topics": [], "t": "hello"}', 11, 10)).toBe(true);
  expect(isLongHello('{"t":"hello"}', 20, 10)).toBe(true);
  expect(isLongHello('{"t":"hello"}', 21, 10)).toBe(false);
});

it.each(['hello', '"hello"', 'null', '{"t":"ack"}', '{"t":["hello"]}'])('%s is no hello', (text) => {
  expect(isLongHello(text, 11, 10)).toBe(false);
});
