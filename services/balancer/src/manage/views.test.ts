import { describe, expect, it } from 'vitest';
import type { Found } from './edge-queries.js';
import { where } from './users.js';
import { session } from './views.js';

const shown = { session: 's1', node: 'e1', uid: 'alice', since: 5, unacked: 2, isBare: false, generation: 1 };
const reply = (node: string, more: object) => ({ ask: 'a', node, boot: 'b', sessions: [], ...more });
const asking = (...replies: Found['replies']) => ({
  ask: async () => ({ replies, answered: replies.length, missing: ['e9'] }),
  queued: async () => 7,
});

describe('one session', () => {
  it('is shown from the edge that has it, with what every edge remembers of it, newest first', async () => {
    const here = reply('e2', {
      sessions: [{ ...shown, node: 'e2', generation: 2 }],
      past: { session: 'alice.s1', events: [{ at: 9, kind: 'resumed' }], moves: [] },
    });
    const there = reply('e1', {
      sessions: [{ ...shown, isAttached: false, generation: 3 }],
      past: {
        session: 'alice.s1',
        events: [{ at: 8, kind: 'moved', reason: 'to e2' }],
        moves: [{ at: 8, to: 'e2', outcome: 'done' }],
      },
    });
    expect(await session('s1', asking(there, here))).toMatchObject({
      ok: true,
      user: 'alice',
      session: 's1',
      node: 'e2',
      isAttached: true,
      queued: 7,
      moves: [{ at: 8, from: 'e1', to: 'e2', outcome: 'done' }],
      history: [
        { at: 9, kind: 'resumed', node: 'e2' },
        { at: 8, kind: 'moved', node: 'e1' },
      ],
    });
  });

  it('that no edge has is not known; what was last of it is said, and who did not answer', async () => {
    const past = { session: 'alice.s1', events: [{ at: 0, kind: 'ended' as const }], moves: [] };
    await expect(session('s1', asking(reply('e1', { past })))).rejects.toMatchObject({
      code: 'unknown-session',
      message:
        'no edge has a session s1; the last of it was ended on e1 at 1970-01-01T00:00:00.000Z; e9 did not answer, ask again',
    });
  });
});

it('where shows the first hundred sessions with what waits for them', async () => {
  const sessions = Array.from({ length: 101 }, (_, n) => ({ ...shown, session: `s${n}` }));
  const answer = await where('alice', asking(reply('e1', { sessions })));
  const listed = answer.ok && Array.isArray(answer.sessions) ? answer.sessions : [];
  expect(listed.map(({ queued }) => queued)).toEqual([...Array(100).fill(7), undefined]);
  expect(answer).toMatchObject({ user: 'alice', answered: 1, missing: ['e9'] });
});
