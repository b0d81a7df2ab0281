import { describe, expect, it } from 'vitest';
import { JsonText } from './json-text.js';
import { bodyOf, checkedKey, checkId, checkName, checkPattern, contentTypeOf } from './message.js';

describe('a message', () => {
  it('is JSON unless said otherwise, bytes and text as they are', () => {
    expect(bodyOf({ a: 1 }, 'application/json').toString()).toBe('{"a":1}');
    expect(bodyOf('x', 'application/cloudevents+json; charset=utf-8').toString()).toBe('"x"');
    expect(bodyOf('x', 'text/plain').toString()).toBe('x');
    expect([...bodyOf(Uint8Array.of(1, 2), 'image/png')]).toEqual([1, 2]);
  });

  it('that is JSON already goes as it is written, and stands for its value elsewhere', () => {
    for (const text of ['9007199254740993', ' {"a":1e400, "b":-0}', '"\\u00e9"']) {
      const json = new JsonText(text);
      expect(contentTypeOf(json)).toBe('application/json');
      expect(bodyOf(json, 'application/json').toString()).toBe(text);
    }
    expect(JSON.stringify({ of: new JsonText('{"a": 1}') })).toBe('{"of":{"a":1}}');
    expect(() => new JsonText('{')).toThrow(expect.objectContaining({ code: 'bad-body' }));
    expect(() => bodyOf(new JsonText('1'), 'text/plain')).toThrow(
      expect.objectContaining({ code: 'bad-body' }),
    );
  });

  it('that is bytes has a type of bytes, whatever they look like, and only the part that was given', () => {
    const { buffer } = Uint8Array.of(49, 50, 51);
    const given = [new Uint8Array(buffer, 1, 1), buffer, new DataView(buffer, 2), Buffer.from('42')];
    expect(given.map(contentTypeOf)).toEqual(given.map(() => 'application/octet-stream'));
    expect(given.map((bytes) => bodyOf(bytes, contentTypeOf(bytes)).toString())).toEqual([
      '2',
      '123',
      '3',
      '42',
    ]);
    expect(['42', 42, null, [1]].map(contentTypeOf)).toEqual(Array(4).fill('application/json'));
  });

  it.each(['', 7, null, {}, 'x'.repeat(256)])('has no id like %j', (id) => {
    expect(() => checkId(id)).toThrow(expect.objectContaining({ code: 'bad-id' }));
  });

  it('has an id that is a string of at most 255 bytes', () => {
    for (const id of ['a', 'é'.repeat(127)]) checkId(id);
    expect(() => checkName('event', '*')).toThrow(/all events/);
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
