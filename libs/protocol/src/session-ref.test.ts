import { expect, it } from 'vitest';
import { isMeantBy, isSessionRef, sessionKey } from './session-ref.js';

const alice = { uid: 'alice', sid: 's1' };

it('a session is meant by its user and id, or by its id alone', () => {
  for (const reference of ['alice.s1', 's1']) expect(isMeantBy(reference)(alice)).toBe(true);
  for (const reference of ['bob.s1', 'alice.s2', 's2', 'alice', ''])
    expect(isMeantBy(reference)(alice)).toBe(false);
});

it('a reference is made of what ids are made of, and a key names the user', () => {
  for (const text of ['alice.s1', 's1', '~w6k.s-1']) expect(isSessionRef(text), text).toBe(true);
  for (const text of ['', '.', 'alice.', '.s1', 'a.b.s1', 'a b.s1'])
    expect(isSessionRef(text), text).toBe(false);
  expect([sessionKey.safeParse('alice.s1').success, sessionKey.safeParse('s1').success]).toEqual([
    true,
    false,
  ]);
});
