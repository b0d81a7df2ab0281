import { describe, expect, it } from 'vitest';
import { printed } from '../../testing/printed.js';
import { until } from './denying.js';

const nowMs = Date.parse('2026-12-01T00:00:00Z');

describe('--until', () => {
  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
    ['2026-12-24T18:00:00Z', Date.parse('2026-12-24T18:00:00Z') - nowMs],
  ])('takes %s', (text, aheadMs) => {
    expect(until(text, undefined, nowMs)).toBe(nowMs + aheadMs);
  });

  it.each(['soon', '10', '0s', '31d', '2026-11-30', '-1h', ''])('refuses %j', (text) => {
    expect(() => until(text, undefined, nowMs)).toThrow(/./);
  });
});

/** What the command sends, and prints. */
async function run(...words: string[]) {
  const sent: unknown[] = [];
  const answer = (args: object) => {
    sent.push(args);
    return Promise.resolve({ ok: true, untilMs: nowMs, wasDenied: false, ...args });
  };
  const operator = {
    deny: answer,
    allow: answer,
    forget: async () => ({ ok: true, sessions: [{}], denials: 2, missing: [], left: ['logs'] }),
    denials: async () => ({ ok: true, denials: [{ session: 's1', untilMs: nowMs }], total: 3 }),
  };
  return { printed: await printed(operator, words), sent };
}

describe('deny and allow', () => {
  const ambiguous = 'a'.repeat(22);
  it.each([
    [['mallory'], [{ user: 'mallory' }]],
    [['john.doe'], [{ user: 'john.doe' }]],
    [[ambiguous], [{ user: ambiguous }, { session: ambiguous }]],
    [[`eve.${ambiguous}`], [{ user: `eve.${ambiguous}` }, { session: `eve.${ambiguous}` }]],
    [[ambiguous, '--user'], [{ user: ambiguous }]],
    [['s1', '--session'], [{ session: 's1' }]],
  ])('take %j for a user, for a session, or for both where it may be either', async (words, subjects) => {
    expect((await run('deny', ...words)).sent).toEqual(subjects);
    expect((await run('allow', ...words)).sent).toEqual(subjects);
  });

  it('say what was done', async () => {
    expect((await run('deny', ambiguous)).printed).toBe(
      `denied until 2026-12-01T00:00:00.000Z: user ${ambiguous}\ndenied until 2026-12-01T00:00:00.000Z: session ${ambiguous}\n`,
    );
    expect((await run('allow', 'bob')).printed).toBe('bob was not denied\n');
  });
});

it('denials lists who is kept out, and says how many more there are', async () => {
  expect((await run('denials')).printed).toBe('session s1, until 2026-12-01T00:00:00.000Z\nand 2 more\n');
});

it('forget says what it has ended, and what is left', async () => {
  expect((await run('forget', 'bob')).printed.split('\n')).toEqual([
    'bob: sessions ended, 1 with a socket; denials ended, 2',
    'Not removed:',
    '- logs',
    '',
  ]);
});
