import { expect, it } from 'vitest';
import { disconnected, uncordoned } from './outcomes.js';

const session = { session: 's1', node: 'edge-1' };

it('whoever had no session is not said to be disconnected', () => {
  const none = { ok: true, sessions: [], answered: 2, missing: [] } as const;
  expect(disconnected('alice', none)).toEqual({ text: 'Nothing of alice was there to end.', tone: 'good' });
  const one = { ...none, sessions: [session] };
  expect(disconnected('alice', one)).toEqual({
    text: 'alice is disconnected: 1 session ended.',
    tone: 'good',
  });
});

it('edges that did not answer are named, and that none is known is said', () => {
  const silent = { ok: true, sessions: [session], answered: 1, missing: ['edge-2', 'edge-3'] } as const;
  expect(disconnected('alice', silent)).toEqual({
    text: '1 session ended; edge-2, edge-3 did not answer. Disconnect again.',
    tone: 'bad',
  });
  const many = { ...silent, sessions: [], missing: ['1', '2', '3', '4', '5', '6', '7'] };
  expect(disconnected('alice', many).text).toBe(
    'Nothing of alice was there to end; 1, 2, 3, 4, 5 and 2 more did not answer. Disconnect again.',
  );
  const nobody = { ok: true, sessions: [], answered: 0, missing: [] } as const;
  expect(disconnected('alice', nobody)).toEqual({
    text: 'Nothing of alice was there to end: no node is known that could be asked.',
    tone: 'bad',
  });
});

it('a node that clients do not reach is not said to take them', () => {
  expect(uncordoned('edge-1', { ok: true })).toEqual({ text: 'edge-1 takes clients again.', tone: 'good' });
  const why = 'edge-1: cordoned until clients that dial the public URL get there';
  expect(uncordoned('edge-1', { ok: true, unreachable: ['edge-1'], why })).toEqual({
    text: `edge-1 takes no clients yet. ${why}.`,
    tone: 'bad',
  });
  const low = 'edge-1: cordoned until it has memory again';
  expect(uncordoned('edge-1', { ok: true, lowOnMemory: ['edge-1'], why: low })).toEqual({
    text: `edge-1 takes no clients yet. ${low}.`,
    tone: 'bad',
  });
});
