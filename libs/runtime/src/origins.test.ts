import { expect, it } from 'vitest';
import { isOriginOrAny, Origins } from './origins.js';

it('without a list any page may connect, and none is listed', () => {
  for (const origins of [new Origins(undefined), new Origins(['*'])]) {
    expect(origins.isOpen).toBe(true);
    expect([undefined, 'null', 'https://any.example'].every((origin) => origins.takes(origin))).toBe(true);
    expect(origins.lists('https://any.example')).toBe(false);
  }
});

it('with a list exactly its origins may connect, and programs, which send none', () => {
  const origins = new Origins(['https://app.example', 'http://localhost:3000']);
  expect(['https://app.example', 'http://localhost:3000', undefined].every((o) => origins.takes(o))).toBe(
    true,
  );
  const others = [
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://evil.example/https://app.example',
    'https://sub.app.example',
    'HTTPS://APP.EXAMPLE',
    'https://app.example, https://evil.example',
    'null',
    '',
  ];
  expect(others.filter((origin) => origins.takes(origin))).toEqual([]);
});

it('an origin is written as browsers send it', () => {
  const good = [
    '*',
    'https://a.example',
    'http://[::1]:3000',
    'capacitor://localhost',
    'https://a-b.example:8443',
  ];
  expect(good.filter((text) => !isOriginOrAny(text))).toEqual([]);
  const bad = [
    'https://a.example/',
    'https://a.example:443',
    'http://a.example:80',
    'https://A.example',
    'https://*.example',
    'a.example',
    'null',
    '',
    'https://user@a.example',
    'https://a.example?x',
  ];
  expect(bad.filter(isOriginOrAny)).toEqual([]);
});
