import { expect, it } from 'vitest';
import { readWebhooks } from './settings.js';

const one = {
  name: 'shop',
  url: 'https://shop.example/hook',
  secret: 'a-secret-of-16-chars',
  on: ['opened'],
};
const read = (...webhooks: object[]) => readWebhooks(JSON.stringify({ webhooks }));

it('takes endpoints that are reached by TLS, or on this machine alone', () => {
  expect(read(one)).toEqual([one]);
  expect(read({ ...one, url: 'http://127.0.0.1:9000/hook' })).toHaveLength(1);
  for (const url of [
    'http://shop.example',
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'ftp://x',
    'https://a:b@shop.example',
  ]) {
    expect(read({ ...one, url })).toMatch(/^webhooks\.0\.url: give an https/);
  }
});

it('says what is wrong, where, and quotes no secret', () => {
  expect(readWebhooks('{"secret": "s3cret"')).toBe('it is not JSON');
  expect(read({ ...one, secret: 's3cret' })).toBe('webhooks.0.secret: give at least 16 characters');
  expect(read(one, one)).toBe('webhooks: two have the same name');
  expect(read({ ...one, on: ['closed'] })).toMatch(/^webhooks\.0\.on\.0: /);
  expect(read({ ...one, name: 'shop.#' })).toMatch(/^webhooks\.0\.name: /);
});
