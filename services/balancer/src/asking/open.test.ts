import { describe, expect, it } from 'vitest';
import { endOf, type OpenAsk, takeAnswer, timedOut } from './open.js';

const ask = (want: 'first' | 'all', ...asked: string[]): OpenAsk => ({
  uid: 'alice',
  method: 'q',
  want,
  timeoutMs: 100,
  untilMs: 100,
  replyTo: 'r',
  correlationId: undefined,
  asked: new Set(asked),
  heard: new Set(),
});

describe('of a question that one answer is enough for', () => {
  it('the first answer is the last, be it an error', () => {
    expect(takeAnswer(ask('first', 'a', 'b'), 'a', undefined)).toBe('last');
    expect(takeAnswer(ask('first', 'a', 'b'), 'b', 'declined')).toBe('last');
    // Nobody knew of it when edges were asked.
    expect(takeAnswer(ask('first', 'a'), 'c', undefined)).toBe('last');
  });

  it('a session that serves no such method counts once all have said so', () => {
    const open = ask('first', 'a', 'b');
    expect(takeAnswer(open, 'a', 'no-handler')).toBe('kept');
    expect(takeAnswer(open, 'a', undefined)).toBe('repeated');
    expect(timedOut(open)).toMatchObject({ code: 'timeout', message: expect.stringContaining('1 serve no') });
    expect(takeAnswer(open, 'b', 'no-handler')).toBe('last');
  });
});

it('that one edge cannot send it on ends no question that another session may answer', () => {
  const open = ask('first', 'a', 'b');
  expect(takeAnswer(open, 'a', 'too-large')).toBe('kept');
  expect(takeAnswer(open, 'b', undefined)).toBe('last');
  const alone = ask('first', 'a', 'b');
  takeAnswer(alone, 'a', 'no-handler');
  expect(takeAnswer(alone, 'b', 'too-large')).toBe('last');
});

describe('of a question to all', () => {
  it('each session answers once, and the last of them ends it', () => {
    const open = ask('all', 'a', 'b');
    const turns = ['a', 'a', 'c', 'b'].map((sid) => takeAnswer(open, sid, undefined));
    expect(turns).toEqual(['passed', 'repeated', 'passed', 'last']);
    expect(endOf(open)).toEqual({ answers: 3, silent: [] });
  });

  it('it ends in time with who was silent, and without any answer by an error', () => {
    const open = ask('all', 'a', 'b');
    expect(timedOut(open)).toMatchObject({ code: 'timeout' });
    takeAnswer(open, 'b', 'no-handler');
    expect(timedOut(open)).toEqual({ answers: 1, silent: ['a'] });
  });

  it('nothing ends it but the time where it is not known whom it was for', () => {
    const open = { ...ask('all'), asked: undefined };
    expect(takeAnswer(open, 'a', undefined)).toBe('passed');
    expect(takeAnswer(ask('all'), 'a', undefined)).toBe('passed');
  });
});
