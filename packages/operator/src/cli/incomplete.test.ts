import { describe, expect, it } from 'vitest';
import { printed, TestTerminal } from '../../testing/printed.js';
import { failed } from './failure.js';

/** What a command prints, and exits with, where these have sessions of bob and these are silent. */
async function run(on: readonly string[], missing: readonly string[], ...words: string[]) {
  const sessions = on.map((node, i) => ({ session: `s${i}`, node }));
  const answer = async () => ({ ok: true, user: 'bob', sessions, answered: on.length, missing });
  const operator = { where: answer, disconnect: answer, forget: answer };
  const terminal = new TestTerminal();
  const code = await printed(operator, words, terminal).then(
    () => 0,
    (error: unknown) => failed(error, words.includes('--json'), terminal),
  );
  return { code, text: terminal.text, errors: terminal.errors };
}

describe('where edges are silent, exit status 1 and their names', () => {
  it.each(['disconnect', 'forget'])('%s says what the others have done, too', async (verb) => {
    const { code, text, errors } = await run(['e1', 'e2'], ['e3', 'e4'], verb, 'bob');
    expect(code).toBe(1);
    expect(text).toContain(verb === 'forget' ? 'sessions ended, 2' : 'bob: 2 sessions disconnected');
    expect(errors).toBe(`evenkeel: no answer from e3, e4: ${verb} bob again (incomplete)\n`);
    expect((await run(['e1'], [], verb, 'bob')).code).toBe(0);
  });

  it('disconnect does not say that nobody is there', async () => {
    const { code, errors } = await run([], ['e3'], 'disconnect', 'bob');
    expect([code, errors]).toEqual([1, 'evenkeel: no answer from e3: disconnect bob again (incomplete)\n']);
    expect((await run([], [], 'disconnect', 'bob')).errors).toContain('(no-session)');
  });

  it.each([[[]], [['e1']]])(
    'where --nodes prints no part of them, here %j: drain would take it for all',
    async (on) => {
      const { code, text, errors } = await run(on, ['e3'], 'where', 'bob', '--nodes');
      expect([code, text]).toEqual([1, '']);
      expect(errors).toBe('evenkeel: no answer from e3, where bob may be too: ask again (incomplete)\n');
    },
  );

  it.each([['disconnect'], ['forget'], ['where', '--nodes']])(
    '%s --json is one object',
    async (verb, ...more) => {
      const { code, text, errors } = await run(['e1'], ['e3'], verb, 'bob', ...more, '--json');
      expect([code, errors]).toEqual([1, '']);
      expect(JSON.parse(text)).toMatchObject({
        ok: false,
        error: { code: 'incomplete', message: expect.stringContaining('no answer from e3') },
        sessions: [{ node: 'e1' }],
        missing: ['e3'],
      });
    },
  );
});
