import { expect, it } from 'vitest';
import { Question } from './question.js';
import type { TailRecord } from './tail.js';

const limits = { size: 10, seconds: 60 };
const record = (offset: number) =>
  ({ offset, print: `p${offset}`, topics: ['t'], item: offset, bytes: 1, atMs: 0 }) as TailRecord<number>;

it('has no answer to what came behind a place once messages went past the stream behind it', () => {
  const question = new Question<number>('t', { since: { offset: 5 } }, limits);
  question.see(5, { key: '', body: Buffer.of(), properties: { headers: {} } } as never);
  question.lacks(4);
  question.add(record(6));
  expect(question.answer([], true, 0)).toMatchObject({ is: 'all', records: [{ offset: 6 }] });
  question.lacks(7);
  question.add(record(8));
  expect(question.answer([], true, 0)).toEqual({ is: 'lost', records: [] });
});

it('gives the newest all the same: nobody has said that they follow each other', () => {
  const question = new Question<number>('t', { last: 2 }, limits);
  for (const offset of [1, 2]) question.add(record(offset));
  question.lacks(3);
  question.add(record(4));
  expect(question.answer([], true, 0)).toMatchObject({
    is: 'all',
    records: [{ offset: 2 }, { offset: 4 }],
  });
});

it('gives only what the tail has where not all before it could be read: what was read are not the newest', () => {
  const question = new Question<number>('t', { last: 3 }, limits);
  for (const offset of [1, 2, 3]) question.add(record(offset));
  expect(question.answer([record(9)], false, 0)).toMatchObject({ is: 'newest', records: [{ offset: 9 }] });
  expect(question.answer([record(9)], true, 0)).toMatchObject({
    is: 'all',
    records: [{ offset: 2 }, { offset: 3 }, { offset: 9 }],
  });
});
