import { readJson } from '@evenkeel/mesh';
import { errorHeader, sessionHeader } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
import { WrittenJson } from '../contract/written-json.js';
import type { Call, Calls, Heard } from './calls.js';
import { request } from './request.js';

const from = (session: string, text: string, error?: string): Heard => ({
  body: readJson(Buffer.from(text)),
  text: () => text,
  headers: { [sessionHeader]: session, ...(error && { [errorHeader]: error }) },
});

it('a question and what clients answer go on as they were written', async () => {
  const asked: Call[] = [];
  const calls: Pick<Calls, 'gather'> = {
    gather: async (call) => {
      asked.push(call);
      return [
        from('a', '{"n": 9007199254740993}'),
        from('b', 'no "JSON"'),
        from('c', 'not today', 'declined'),
      ];
    },
  };
  const data = new WrittenJson('1e400');
  const { text } = await request({ user: 'zoë "x"', method: 'q', data, want: 'all', id: 'i' }, { calls });
  expect(asked[0]?.body).toBe(data);
  expect(text).toContain('{"session":"a","data":{"n": 9007199254740993}}');
  expect(JSON.parse(text)).toEqual({
    user: 'zoë "x"',
    answers: [
      { session: 'a', data: { n: 9007199254740992 } },
      { session: 'b', data: 'no "JSON"' },
      { session: 'c', error: { code: 'declined', message: 'not today' } },
    ],
    silent: [],
  });
});
