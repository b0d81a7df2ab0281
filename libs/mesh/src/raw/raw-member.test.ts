import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawItems, rawMember } from './raw-member.js';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map((each) => depthOf(each)))
    : 0;

describe('the raw text of a member', () => {
  it.each([
    ['{"data":9007199254740993}', '9007199254740993'],
    ['{"data" : 1e400 , "t":"publish"}', '1e400'],
    ['{"data":-0}', '-0'],
    ['{"data":{"b":1,"a":[1.0, 2]},"id":1}', '{"b":1,"a":[1.0, 2]}'],
    ['{"id":"\\"data\\":5","data":"a\\\\\\"}"}', '"a\\\\\\"}"'],
    ['{"x":{"data":1},"data":2}', '2'],
    ['{"data":1,"data":2}', '2'],
    ['{"\\u0064ata":3}', '3'],
    ['\n { "data"\n:\ttrue\r}', 'true'],
    ['{"data":"\\ud800"}', '"\\ud800"'],
  ])('%s', (object, text) => {
    expect(rawMember(object, 'data')?.text).toBe(text);
  });

  it('is not that of a name that is only written alike', () => {
    expect(rawMember('{"\\\\":1}', '\\\\')).toBeUndefined();
    expect(rawMember('{"\\\\\\\\":1,"\\\\":2}', '\\\\')?.text).toBe('1');
  });

  it('is not there where it is not', () => {
    for (const object of ['{}', '{"x":{"data":1}}', '{"x":"\\"data\\":1"}', '{ "datas" : [] }'])
      expect(rawMember(object, 'data')).toBeUndefined();
  });

  it('is what JSON.parse reads there, with its depth, whatever is around it and however it is written', () => {
    const names = fc.oneof(fc.constantFrom('data', 'a"b', '\\', '{', ','), fc.string());
    const objects = fc.dictionary(names, fc.jsonValue());
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, '\t', ' \n'), (object, space) => {
        const text = JSON.stringify(object, null, space);
        for (const [name, value] of Object.entries(JSON.parse(text) as object)) {
          const raw = rawMember(text, name);
          expect(JSON.parse(raw?.text ?? '')).toEqual(value);
          expect(raw?.text).toBe(raw?.text.trim());
          expect(raw?.depth).toBe(depthOf(value));
        }
      }),
    );
  });

  it('takes time by its length, also of backslashes and of nesting without end', () => {
    const slashes = JSON.stringify({ a: '\\'.repeat(30_000), data: 1 });
    expect(rawMember(slashes, 'data')?.text).toBe('1');
    const deep = `{"data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(rawMember(deep, 'data')?.depth).toBe(30_000);
  });
});

describe('the raw texts of the items of an array', () => {
  it.each([
    ['[]', []],
    [' [ \n] ', []],
    ['[9007199254740993,1e400 , -0]', ['9007199254740993', '1e400', '-0']],
    ['\t[ {"a":[1, 2]} ,"],[\\"" , [[]],null]', ['{"a":[1, 2]}', '"],[\\""', '[[]]', 'null']],
  ])('%s', (array, texts) => {
    expect(rawItems(array).map(({ text }) => text)).toEqual(texts);
  });

  it('are what JSON.parse reads there, with their depth, whatever is in it and however it is written', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t', ' \n'), (array, space) => {
        const text = JSON.stringify(array, null, space);
        const items = rawItems(text);
        expect(items.map((item) => JSON.parse(item.text))).toEqual(JSON.parse(text));
        expect(items.map(({ depth }) => depth)).toEqual(array.map((each) => depthOf(each)));
      }),
    );
  });
});
