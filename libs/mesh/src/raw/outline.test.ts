import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNested } from './nested.js';
import { outlineOf } from './outline.js';
import { rawMember } from './raw-member.js';

const runs = { numRuns: 2_000 };
const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map((each) => depthOf(each)))
    : 0;
const spaces = fc.constantFrom(undefined, 1, '\t', ' \n');
const nested = fc.jsonValue().filter((value) => typeof value === 'object' && value !== null);

describe('an array or an object that is read past', () => {
  it.each([
    ['[1 , -0,0.5e+3,\t"\\u00e9\\"", true,null ]', 1],
    ['{}', 1],
    ['[[],{"a":[{}]}]', 4],
    ['{"a":1E5,"":[ ]}', 2],
  ])('%s', (text, depth) => {
    expect(readNested(`${text},"x"]`, 0)).toEqual({ end: text.length, depth });
  });

  it.each([
    ...['[', '[1', '[1,', '[,1]', '[1,]', '[1 2]', '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', '{,}', '[}', '{]'],
    ...[
      '[01]',
      '[1.]',
      '[.5]',
      '[+1]',
      '[-]',
      '[1e]',
      '[1e+]',
      '[0x1]',
      '[--1]',
      '[1.5.5]',
      '[NaN]',
      '[tru]',
    ],
    ...[
      '["\n"]',
      '["\\x"]',
      '["\\u12g4"]',
      '["\\u1"]',
      '["a]',
      '["\\"]',
      '[\u00a01]',
      '[\v1]',
      '1',
      '"a"',
      '',
    ],
  ])('is not taken where JSON.parse does not take it: %j', (text) => {
    expect(readNested(text, 0)).toBeUndefined();
    expect(isJson(text) && /^[[{]/.test(text)).toBe(false);
  });

  it('ends where it ends, and is as deep as it is', () => {
    fc.assert(
      fc.property(nested, spaces, fc.string(), (value, space, behind) => {
        const text = JSON.stringify(value, null, space);
        expect(readNested(text + behind, 0)).toEqual({ end: text.length, depth: depthOf(value) });
      }),
      runs,
    );
  });

  it('is taken exactly where JSON.parse takes it, whatever is spoiled in it', () => {
    const pieces = fc.constantFrom(
      ...'[]{},:"\\ 0123-+.eEtfnul\n\u0000\ud800'.split(''),
      '',
      'null',
      '\\u12',
    );
    fc.assert(
      fc.property(nested, spaces, fc.nat(), fc.nat({ max: 2 }), pieces, (value, space, at, length, piece) => {
        const text = JSON.stringify(value, null, space);
        const from = at % text.length;
        const spoiled = text.slice(0, from) + piece + text.slice(from + length);
        const end = readNested(spoiled, 0)?.end;
        if (end === undefined) expect(isJson(spoiled) && /^[[{]/.test(spoiled)).toBe(false);
        else expect(isJson(spoiled.slice(0, end))).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  it('may be as deep as a frame is long', () => {
    const count = 32_000;
    const text = '['.repeat(count) + ']'.repeat(count);
    expect(readNested(text, 0)).toEqual({ end: text.length, depth: count });
  });
});

describe('the outline of a frame', () => {
  const long = JSON.stringify(Array.from({ length: 200 }, (_, n) => n));

  it('leaves out what is long, and keeps the rest as it was written', () => {
    const frame = `{"t":"publish","id":"1", "data" : ${long} ,"topic":"a","more":{"x":1},"y":${long}}`;
    expect(outlineOf(frame)).toEqual({
      rest: '{"t":"publish","id":"1", "data" : null ,"topic":"a","more":{"x":1},"y":null}',
      data: { text: long, depth: 1 },
    });
  });

  it('has the last data of several, however its name is written', () => {
    expect(outlineOf(`{"data":${long},"\\u0064ata":2}`)?.data?.text).toBe('2');
    expect(outlineOf(`{"data":1,"data":${long}}`)?.data?.text).toBe(long);
  });

  it('keeps an error, which the edge reads', () => {
    const frame = `{"t":"answer","error":{"code":"x","message":"${'y'.repeat(500)}"}}`;
    expect(outlineOf(frame)?.rest).toBe(frame);
  });

  it('says of a frame what a parser of all of it says', () => {
    const names = fc.oneof(fc.constantFrom('data', 'a"b', '\\', 't', 'error', '__proto__'), fc.string());
    const values = fc.oneof(fc.jsonValue(), fc.constant(JSON.parse(long)));
    fc.assert(
      fc.property(fc.dictionary(names, values), spaces, (object, space) => {
        const text = JSON.stringify(object, null, space);
        const outline = outlineOf(text);
        expect(outline?.data).toEqual(rawMember(text, 'data'));
        const rest = JSON.parse(outline?.rest ?? '') as Record<string, unknown>;
        const whole = JSON.parse(text) as Record<string, unknown>;
        expect(Object.keys(rest)).toEqual(Object.keys(whole));
        for (const [name, value] of Object.entries(rest))
          if (value !== null) expect(value).toEqual(whole[name]);
      }),
      runs,
    );
  });

  it('leaves it to a parser where it is malformed', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat({ max: 3 }), (piece, at, length) => {
        const frame = `{"t":"publish","id":"1","data":${long},"topic":"a"}`;
        const from = at % frame.length;
        const spoiled = frame.slice(0, from) + piece + frame.slice(from + length);
        if (!isJson(spoiled)) expect(() => JSON.parse(outlineOf(spoiled)?.rest ?? '')).toThrow(SyntaxError);
      }),
      runs,
    );
  });
});
