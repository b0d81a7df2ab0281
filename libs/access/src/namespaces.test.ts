import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isInlineNamespaces, namespacesSchema, readNamespaces } from './namespaces.js';

const read = (value: unknown) => readNamespaces(JSON.stringify(value));
const secret = 'a secret of the hook';

describe('namespaces', () => {
  const namespaces = read({
    namespaces: {
      prices: { subscribe: 'anyone', publish: 'nobody' },
      inbox: { subscribe: 'owner' },
      '*': { publish: 'service' },
    },
  });

  it('give the rule of the first word, else that of *, else the default', () => {
    expect(namespaces.ruleOf('subscribe', 'prices.eur', 'claim')).toBe('anyone');
    expect(namespaces.ruleOf('subscribe', 'prices', 'claim')).toBe('anyone');
    expect(namespaces.ruleOf('publish', 'prices.eur', 'claim')).toBe('nobody');
    expect(namespaces.ruleOf('publish', 'inbox.alice', 'claim')).toBe('service');
    expect(namespaces.ruleOf('request', 'inbox.alice', 'claim')).toBe('claim');
    expect(namespaces.ruleOf('subscribe', 'price.eur', 'anyone')).toBe('anyone');
    expect(namespaces.ruleOf('subscribe', 'room.prices', 'claim')).toBe('claim');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'know no rule for %s by accident',
    (name) => {
      expect(namespaces.ruleOf('subscribe', name, 'claim')).toBe('claim');
      expect(namespaces.ruleOf('publish', `${name}.x`, 'claim')).toBe('service');
    },
  );

  it('say whom they ask', () => {
    expect(namespaces.asks('service')).toBe(true);
    expect(namespaces.asks('hook')).toBe(false);
  });

  it('say what topics have beside their messages, by the first word or *', () => {
    const topics = read({
      namespaces: {
        room: { history: { size: 20 }, presence: true, relay: false },
        rates: { history: { seconds: 60, latest: 'key' } },
        last: { history: { latest: true } },
        '*': { presence: false, relay: true },
      },
    });
    expect(topics.historyOf('room.42')).toEqual({ size: 20, seconds: 3_600, latest: false });
    expect(topics.historyOf('rates.#')).toEqual({ size: 1_000, seconds: 60, latest: 'key' });
    expect(topics.historyOf('last')).toEqual({ size: 1_000, seconds: 3_600, latest: true });
    expect(topics.historyOf('other.room')).toBeUndefined();
    expect([...topics.histories.keys()]).toEqual(['room', 'rates', 'last']);
    expect([topics.hasPresence('room.42'), topics.hasPresence('rates')]).toEqual([true, false]);
    expect([topics.isRelay('room.42'), topics.isRelay('rates')]).toEqual([false, true]);
    expect([namespaces.hasPresence('prices.eur'), namespaces.isRelay('prices.eur')]).toEqual([false, false]);
  });

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['a history of nothing', '{"namespaces":{"a":{"history":{"size":0}}}}', '`namespaces.a.history.size`'],
    [
      'a history without an end',
      '{"namespaces":{"a":{"history":{"seconds":1e9}}}}',
      'namespaces.a.history.seconds',
    ],
    ['a history that is no object', '{"namespaces":{"a":{"history":true}}}', '`namespaces.a.history`'],
    [
      'a latest that there is not',
      '{"namespaces":{"a":{"history":{"latest":"id"}}}}',
      'namespaces.a.history.latest',
    ],
    ['a history of every namespace', '{"namespaces":{"*":{"history":{}}}}', '`namespaces.*.history`'],
    ['a relay that is no boolean', '{"namespaces":{"a":{"relay":"yes"}}}', '`namespaces.a.relay`'],
    ['a presence that is no boolean', '{"namespaces":{"a":{"presence":1}}}', '`namespaces.a.presence`'],
    ['no namespaces', '{}', '`namespaces`'],
    [
      'a rule that there is not',
      '{"namespaces":{"a":{"subscribe":"everybody"}}}',
      '`namespaces.a.subscribe`',
    ],
    ['an action that there is not', '{"namespaces":{"a":{"read":"anyone"}}}', '`namespaces.a`'],
    ['two words for one', '{"namespaces":{"a.b":{}}}', 'a.b'],
    ['a key of another name', '{"namespaces":{},"namespace":{}}', 'namespace'],
    ['a prototype', '{"namespaces":{"__proto__":{"subscribe":"nobody"}}}', '__proto__'],
    ['a hook that is not said', '{"namespaces":{"a":{"publish":"hook"}}}', '`namespaces.a.publish`'],
    [
      'a hook over http',
      `{"namespaces":{},"hook":{"url":"http://app.example/","secret":"${secret}"}}`,
      '`hook.url`',
    ],
    [
      'a short secret',
      '{"namespaces":{},"hook":{"url":"https://app.example/","secret":"short"}}',
      '`hook.secret`',
    ],
  ])('are refused, and it is said where, for %s', (_, text, what) => {
    expect(() => readNamespaces(text)).toThrow(what);
  });

  it.each(['{"hook": {"secret": hidden}}', '{"secret": "hidden', '{"secret": "hidden" "url"}', 'hidden'])(
    'that are no JSON are not quoted: a secret may be in it, as in %s',
    (text) => {
      expect(() => readNamespaces(text)).toThrow(
        /^is not JSON( \(at position [^a-g]*\(?[^)]*\)?\))?; a JSON editor shows where$/,
      );
      expect(() => readNamespaces(text)).not.toThrow('hidden');
    },
  );

  it.each([
    'https://app.example/authorize',
    'http://127.0.0.1:9000/',
    'http://localhost/',
    'http://[::1]:80/',
  ])('take the hook %s', (url) => {
    const { hook, ...rest } = read({ namespaces: { a: { publish: 'hook' } }, hook: { url, secret } });
    expect(hook).toEqual({ url, secret });
    expect(rest).toBeDefined();
  });

  it('are told from the path of their file by how they begin', () => {
    expect(isInlineNamespaces(' {"namespaces":{}}')).toBe(true);
    expect(isInlineNamespaces('/etc/evenkeel/namespaces.json')).toBe(false);
  });

  it('are described by the schema that is published', () => {
    const published = new URL('../../../docs/schemas/namespaces.json', import.meta.url);
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual({
      title: 'Namespaces of an Evenkeel mesh (EVENKEEL_NAMESPACES)',
      ...z.toJSONSchema(namespacesSchema, { io: 'input' }),
    });
  });
});
