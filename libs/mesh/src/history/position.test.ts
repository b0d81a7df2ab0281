import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printOf, readPosition, writePosition } from './position.js';

const record = (body: string, headers = {}) => ({
  key: 'topic.room.1',
  body: Buffer.from(body),
  properties: { headers, messageId: 'm', timestamp: 1 },
});

describe('a position', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), (offset, body) => {
        const position = { offset, print: printOf(record(body)) };
        expect(readPosition(writePosition(position))).toEqual(position);
      }),
    );
  });

  it.each([
    '',
    '5',
    '-',
    '5-',
    '05-abcdefghij',
    '5-abcdefghi',
    '5-abcdefghij ',
    '-5-abcdefghij',
    '9'.repeat(400),
  ])('that cannot be read is none: %j', (text) => expect(readPosition(text)).toBeUndefined());

  it('is there also where a header is a table that has no text', () => {
    const table = record('a', { 'evenkeel-at': { toString: 1, valueOf: 2 } });
    expect(readPosition(writePosition({ offset: 5, print: printOf(table) }))).toBeDefined();
  });

  it('differs with what is in the record: its body, its key, its id, when it was published', () => {
    const plain = record('a');
    const prints = [
      plain,
      record('b'),
      record('a', { 'evenkeel-at': 5 }),
      { ...plain, key: 'topic.room.2' },
      { ...plain, properties: { ...plain.properties, messageId: 'n' } },
      { ...plain, properties: { ...plain.properties, timestamp: 2 } },
    ].map(printOf);
    expect(new Set(prints).size).toBe(prints.length);
    expect(printOf(record('a'))).toBe(prints[0]);
  });
});
