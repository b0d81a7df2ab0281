import { describe, expect, it } from 'vitest';
import { bodyOf, checkedKey, checkName, checkPattern } from './message.js';

describe('a message', () => {
  it('is JSON unless said otherwise, bytes and text as they are', () => {
    expect(bodyOf({ a: 1 }, 'application/json').toString()).toBe('{"a":1}');
    expect(bodyOf('x', 'application/cloudevents+json; charset=utf-8').toString()).toBe('"x"');
    expect(bodyOf('x', 'text/plain').toString()).toBe('x');
    expect([...bodyOf(Uint8Array.of(1, 2), 'image/png')]).toEqual([1, 2]);
  });

  it.each([
    [undefined, 'application/json'],
    [1n, 'application/json'],
    [{ a: 1 }, 'text/plain'],
  ])('that cannot be written is refused (%s as %s)', (payload, type) => {
    expect(() => bodyOf(payload, type)).toThrow(expect.objectContaining({ code: 'bad-body' }));
  });

  it.each(['', 'a..b', 'a.*', '#', 'a b', 'ä', 'x'.repeat(201), ['a'], 42, undefined])(
    'has no name like %j',
    (name) => {
      expect(() => checkName('event', name as string)).toThrow(expect.objectContaining({ code: 'bad-name' }));
    },
  );

  it.each(['', 'a..b', 'a*', 'x'.repeat(201), ['a'], 42, undefined])('serves no method like %j', (method) => {
    expect(() => checkPattern('method', method as string)).toThrow(
      expect.objectContaining({ code: 'bad-name' }),
    );
  });

  it('has a key of at most 255 bytes', () => {
    expect(checkedKey('x'.repeat(255))).toHaveLength(255);
    expect(() => checkedKey('x'.repeat(256))).toThrow(expect.objectContaining({ code: 'key-too-long' }));
  });
});
