import { expect, it } from 'vitest';
import { AnswerMemory } from './answer-memory.js';
import { refusal } from './answers.js';

const body = Buffer.from('{"command":"disconnect","user":"alice"}');

it('has the answer to a repeat with the same body, for ten minutes', () => {
  const memory = new AnswerMemory();
  const answer = { ok: true, sessions: [], missing: [] } as const;
  memory.set('a', body, answer, 0);
  expect(memory.get('a', body, 600_000)).toBe(answer);
  expect(memory.get('a', Buffer.from('{}'), 0)).toBeUndefined();
  expect(memory.get('a', body, 600_001)).toBeUndefined();
});

it('has no answer where edges are still to be asked: the repeat asks them', () => {
  const memory = new AnswerMemory();
  memory.set('a', body, { ok: true, sessions: [], missing: ['edge-1'] }, 0);
  memory.set('b', body, refusal('busy', 'ask again'), 0);
  memory.set('c', body, refusal('no-plan', 'nothing is running'), 0);
  expect(['a', 'b', 'c'].map((id) => memory.get(id, body, 0) !== undefined)).toEqual([false, false, true]);
});
