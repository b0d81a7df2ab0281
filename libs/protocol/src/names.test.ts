import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fromUid,
  inboundKind,
  isNodeName,
  isSid,
  isTopic,
  isTopicPattern,
  isUid,
  NameError,
  planOfMove,
  readSessionQueue,
  sessionQueue,
  toUid,
} from './names.js';

const notText: unknown[] = [undefined, null, 42, true, ['a'], { toString: () => 'a' }, /a/];

describe('what came from a client', () => {
  it.each([
    ['publish', undefined, 'publish'],
    ['publish', 'session.a.s', 'publish'],
    ['request', 'session.a.s', 'request'],
    ['request', undefined, 'request'],
    [undefined, 'session.a.s', 'request'],
    [undefined, undefined, 'publish'],
    ['', undefined, 'publish'],
    ['other', 'session.a.s', undefined],
  ])('with type %s and reply_to %s is a %s', (type, replyTo, kind) => {
    expect(inboundKind(type, replyTo)).toBe(kind);
  });
});

describe("a session's queue", () => {
  const anyUid = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
    fc.string({ minLength: 1, maxLength: 32 }).map(toUid),
  );
  const anySid = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

  it('is read back from its name, whatever its generation', () => {
    fc.assert(
      fc.property(anyUid, anySid, fc.integer({ min: 0, max: 999_999_999 }), (uid, sid, generation) => {
        expect(readSessionQueue(sessionQueue(uid, sid, generation))).toEqual({ uid, sid, generation });
      }),
    );
    expect(sessionQueue('alice', 's')).toBe('session.alice.s');
    expect(sessionQueue('alice', 's', 2)).toBe('session.alice.s.2');
  });

  it.each([
    'session.alice',
    'session.alice.s.0',
    'session.alice.s.01',
    'session.alice.s.1.1',
    'session.alice.s.x',
    'session.alice.s.1000000000',
    'session..s',
    'session.#.s',
    'edge.alice.s',
    'mesh.manage',
    '',
  ])('has no name like %j', (name) => {
    expect(readSessionQueue(name)).toBeUndefined();
  });
});

describe('names', () => {
  it.each([
    ['what is no base64url', '~a'],
    ['what is no UTF-8', '~_w'],
    ['an id that goes as it is', '~YQ'],
    ['nothing', '~'],
  ])('%s is no user id', (_what, uid) => {
    expect(isUid(uid)).toBe(false);
  });

  it.each(Object.entries({ isUid, isSid, isNodeName, isTopic, isTopicPattern }))(
    '%s takes no value for its text',
    (_, is) => {
      expect(is('a')).toBe(true);
      expect(notText.filter((value) => is(value))).toEqual([]);
    },
  );

  it.each(['a', 'a.b', 'A_~-9.z', 'x'.repeat(200)])('a topic may be named "%s"', (name) => {
    expect(isTopic(name)).toBe(true);
  });

  it.each(['', '.', 'a..b', 'a.', 'a.*', '#', 'a b', 'ä', 'a\n', 'x'.repeat(201)])(
    'no topic is named "%s"',
    (name) => {
      expect(isTopic(name)).toBe(false);
    },
  );

  it.each(['a', '*', '#', 'a.*.b', 'a.#'])('a pattern may be "%s"', (name) => {
    expect(isTopicPattern(name)).toBe(true);
  });

  it.each(['', 'a.', 'a*', '##', '*a.b', 'x'.repeat(201)])('no pattern is "%s"', (name) => {
    expect(isTopicPattern(name)).toBe(false);
  });
});

describe('a user id', () => {
  it('is carried as one word and comes back the same', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 24, unit: 'grapheme' }), (id) => {
        fc.pre(new TextEncoder().encode(id).length <= 96);
        expect(isUid(toUid(id))).toBe(true);
        expect(fromUid(toUid(id))).toBe(id);
      }),
    );
  });

  it.each(['', 'ä'.repeat(49), 'a\ud800', '\udc00', ...notText])(
    'that cannot be carried is refused: %s',
    (id) => {
      expect(() => toUid(id as string)).toThrow(NameError);
    },
  );
});

it.each([
  ['4.p7.0.3', '4.p7'],
  ['m1', 'm1'],
])('the plan of the move %s is %s', (move, plan) => {
  expect(planOfMove(move)).toBe(plan);
});
