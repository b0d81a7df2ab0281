import { expect, test } from 'vitest';
import { isExampleSecret, isProduction } from './unsafe.js';

test('a secret of an example is known by what it asks for; one that was made is taken', () => {
  for (const secret of [
    'for-development-only-change-me',
    'CHANGEME-0123456789abcdef',
    'an-example-secret-0123456789',
  ])
    expect(isExampleSecret(secret)).toBe(true);
  expect(isExampleSecret('8CkyYpZ0C6wX1hQvJ9c3Zr3kq5mB7dT2')).toBe(false);
});

test('production is what the environment says it is', () => {
  expect(isProduction({ NODE_ENV: 'production' })).toBe(true);
  for (const env of [{}, { NODE_ENV: 'test' }]) expect(isProduction(env)).toBe(false);
});
