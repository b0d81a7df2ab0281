import { expect, it } from 'vitest';
import { judgePages } from './judge.js';
import type { Entry } from './log.js';

type Line = Partial<Entry> & { page: string };
const event = (page: string, n: number, more: Partial<Entry> = {}): Line => ({
  page,
  what: 'event',
  n,
  ...more,
});
const status = (page: string, type: string, more: Partial<Entry> = {}): Line => ({
  page,
  what: 'status',
  type,
  ...more,
});
const of = (page: string, type: string, more: Partial<Entry> = {}): Line => ({
  page,
  what: 'page',
  type,
  client: -1,
  ...more,
});
const begin = (page: string, resumed = false): Line => status(page, 'connected', { resumed });
const gap = (page: string, more: Partial<Entry> = {}): Line =>
  status(page, 'gap', { reason: 'session-expired', ...more });

/** Lines 100 ms apart; `count` numbers published to the one user, before all lines or (`-1`) after them. */
function verdict(lines: readonly Line[], count = 5, living: readonly string[] = []) {
  const entries = lines.map((line, i) => ({
    client: 0,
    user: 'u',
    session: 's',
    at: 1_000 + i * 100,
    what: 'event' as const,
    ...line,
  }));
  const published = Array.from({ length: count }, (_, i) => ({ user: 'u', n: i + 1, at: 1_001 + i }));
  return judgePages({ published, entries, living: living.map((page) => ({ page, client: 0, user: 'u' })) });
}
const rules = (...of: Parameters<typeof verdict>) => verdict(...of).faults.map(({ rule }) => rule);

it.each<[string, Line[]]>([
  ['one page that gets all', [begin('a'), event('a', 1), event('a', 2), event('a', 3)]],
  [
    'a page that goes on after a reload, with what the first could not acknowledge',
    [
      ...[begin('a'), event('a', 1), event('a', 2), of('a', 'pagehide')],
      ...[begin('b', true), event('b', 2, { redelivered: true }), event('b', 3)],
    ],
  ],
  [
    'a page from the page cache that is told of the gap',
    [
      ...[begin('a'), event('a', 1), of('a', 'pagehide', { persisted: true })],
      ...[begin('b', true), event('b', 2), of('b', 'pagehide')],
      ...[of('a', 'pageshow', { persisted: true }), gap('a'), event('a', 3)],
    ],
  ],
  [
    'a page from the page cache whose session nobody has had',
    [
      ...[begin('a'), event('a', 1), of('a', 'pagehide'), of('a', 'pageshow', { persisted: true })],
      ...[begin('a', true), event('a', 2)],
    ],
  ],
  [
    'a page that takes the session of a living one, which learns of it a moment later',
    [
      ...[begin('a'), event('a', 1), begin('b', true), event('b', 1, { redelivered: true })],
      ...[event('b', 2, { redelivered: true }), event('a', 2), gap('a'), status('a', 'disconnected')],
    ],
  ],
  ['a session that begins later owes nothing of before', [of('x', 'pageshow'), begin('a'), event('a', 6)]],
  [
    'a new queue under an old name, for a page without a state',
    [begin('a'), event('a', 1), begin('b'), event('b', 6)],
  ],
])('accepts %s', (_, lines) => {
  expect(verdict(lines).faults).toEqual([]);
});

it.each<[string, string, Line[]]>([
  ['a hole in one page', 'lost', [begin('a'), event('a', 1), event('a', 3)]],
  ['a hole at the beginning of a session', 'lost', [begin('a'), event('a', 3)]],
  [
    'a hole between two pages',
    'lost',
    [begin('a'), event('a', 1), of('a', 'pagehide'), begin('b', true), event('b', 3)],
  ],
  ['a gap told after the next event', 'lost', [begin('a'), event('a', 1), event('a', 3), gap('a')]],
  ['one gap for two holes', 'lost', [begin('a'), event('a', 1), gap('a'), event('a', 3), event('a', 5)]],
  [
    'a gap that was told to another page',
    'claimed',
    [begin('a'), event('a', 1), begin('b', true), gap('b'), event('b', 2), event('a', 3)],
  ],
  [
    'a page from the page cache that goes on in silence',
    'claimed',
    [
      ...[begin('a'), event('a', 1), of('a', 'pagehide', { persisted: true })],
      ...[begin('b', true), event('b', 2), of('b', 'pagehide')],
      ...[of('a', 'pageshow', { persisted: true }), begin('a', true), event('a', 3)],
    ],
  ],
  ['an event twice in one page', 'repeated', [begin('a'), event('a', 1), event('a', 1)]],
  [
    'an event again, unmarked, in the next page',
    'repeated',
    [begin('a'), event('a', 1), of('a', 'pagehide'), begin('b', true), event('b', 1)],
  ],
  [
    'an event again that could have been acknowledged',
    'repeated',
    [
      ...[begin('a'), event('a', 1), of('a', 'pagehide', { at: 9_000 })],
      ...[
        status('b', 'connected', { resumed: true, at: 9_100 }),
        event('b', 1, { redelivered: true, at: 9_200 }),
      ],
    ],
  ],
  [
    'two living pages in one session',
    'repeated',
    [begin('a'), event('a', 1), begin('b', true), event('b', 1, { redelivered: true })],
  ],
  [
    'an event that two pages handle, one after the other, and neither was told that it may be a repeat',
    'repeated',
    [
      ...[begin('a'), event('a', 1), begin('b', true), event('b', 2), event('a', 2)],
      ...[gap('a'), status('a', 'disconnected')],
    ],
  ],
  [
    'an event that a page handles long after another has had it',
    'repeated',
    [
      ...[begin('a'), event('a', 1), begin('b', true), event('b', 2, { redelivered: true }), event('a', 2)],
      status('a', 'disconnected', { at: 9_000 }),
    ],
  ],
  [
    'an earlier event after a later one',
    'reordered',
    [begin('a'), event('a', 1), gap('a'), event('a', 3), event('a', 2)],
  ],
  [
    'an earlier event in the next page',
    'reordered',
    [begin('a'), gap('a'), event('a', 3), of('a', 'pagehide'), begin('b', true), event('b', 2)],
  ],
  [
    'a client that is closed',
    'closed',
    [begin('a'), event('a', 1), status('a', 'closed', { reason: 'superseded' })],
  ],
])('refuses %s: %s', (_, rule, lines) => {
  expect(rules(lines)).toContain(rule);
});

it('refuses a client that lives and has not got the last: stalled', () => {
  const lines = [begin('a'), event('a', 1), event('a', 2)];
  expect(rules(lines, 2, ['a'])).toEqual([]);
  expect(rules(lines, 3, ['a'])).toEqual(['stalled']);
  expect(rules(lines, 2, ['b'])).toEqual(['stalled']);
});

it('counts pages that came back from the page cache, and what was handled again', () => {
  const lines = [begin('a'), event('a', 1), of('a', 'pagehide'), begin('b', true)];
  const more = [event('b', 1, { redelivered: true }), of('a', 'pageshow', { persisted: true }), gap('a')];
  expect(verdict([...lines, ...more])).toMatchObject({
    faults: [],
    events: 2,
    gaps: 1,
    again: 1,
    persisted: 1,
  });
});
