import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decider, type Decision, maxDecisions, maxDecisionsOfSet, maxGrantSets } from './decider.js';
import { type Action, actions, type Grants, noGrants } from './grants.js';
import { noNamespaces, type Rule, readNamespaces, rules } from './namespaces.js';
import { matches } from './patterns.js';

const hook = { url: 'https://app.example/', secret: 'a secret of the hook' };
const read = (namespaces: object) => readNamespaces(JSON.stringify({ namespaces, hook }));
/** All actions of every namespace by this rule. */
const all = (rule: Rule) => read({ '*': { subscribe: rule, publish: rule, request: rule } });

describe('a decision', () => {
  const granted: Grants = { subscribe: ['room.alice.#'] };
  const decide = (rule: Rule, grants: Grants | undefined, name = 'room.alice') =>
    new Decider(all(rule)).holder('alice', grants, 'claim').decide('subscribe', name);

  it.each([
    ['nobody', 'forbid', 'forbid', 'forbid'],
    ['anyone', 'allow', 'allow', 'forbid'],
    ['owner', 'allow', 'allow', 'forbid'],
    ['claim', 'forbid', 'allow', 'forbid'],
    ['service', 'service', 'service', 'forbid'],
    ['hook', 'hook', 'hook', 'forbid'],
  ] as const)(
    'by the rule %s is %s without a claim, %s with one that matches, %s with one that does not',
    (rule, ...is) => {
      expect([decide(rule, undefined), decide(rule, granted), decide(rule, noGrants)]).toEqual(is);
    },
  );

  it('is not narrowed for an action that the claim does not list, unless the rule asks for the claim', () => {
    expect(decide('anyone', { publish: [] })).toBe('allow');
    expect(decide('claim', { publish: ['#'] })).toBe('forbid');
  });

  it.each(['inbox.alice', 'inbox.alice.new'])('allows an owner %s', (name) => {
    expect(decide('owner', undefined, name)).toBe('allow');
  });

  it.each(['inbox', 'inbox.bob', 'inbox.alice2', 'inbox.bob.alice', 'alice', 'inbox.Alice'])(
    'refuses what is not the owner’s: %s',
    (name) => {
      expect(decide('owner', undefined, name)).toBe('forbid');
    },
  );

  it('for one owner is not taken for another with equal grants', () => {
    const decider = new Decider(all('owner'));
    const [alice, bob] = [
      decider.holder('alice', undefined, 'claim'),
      decider.holder('bob', undefined, 'claim'),
    ];
    expect(alice.decide('publish', 'inbox.alice')).toBe('allow');
    expect(bob.decide('publish', 'inbox.alice')).toBe('forbid');
    expect(bob.decide('publish', 'inbox.bob')).toBe('allow');
  });

  it('is by the default where no rule is given, which each holder brings', () => {
    const decider = new Decider(noNamespaces);
    expect(decider.holder('a', undefined, 'anyone').decide('publish', 'x')).toBe('allow');
    expect(decider.holder('a', undefined, 'claim').decide('publish', 'x')).toBe('forbid');
  });

  it('is by the new rules as soon as they are replaced, for those who hold grants already', () => {
    const decider = new Decider(all('anyone'));
    const alice = decider.holder('alice', undefined, 'claim');
    expect(alice.decide('publish', 'x')).toBe('allow');
    decider.replace(all('nobody'));
    expect(alice.decide('publish', 'x')).toBe('forbid');
    expect(decider.size.decisions).toBe(1);
  });

  it('is what a plain reading of rules and grants gives, in whatever order it is asked for', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const name = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
    const pattern = fc
      .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 4 })
      .map((words) => words.join('.'));
    const perAction = <T>(of: fc.Arbitrary<T>) =>
      fc.record({ subscribe: of, publish: of, request: of }, { requiredKeys: [] });
    const grants = fc.option(perAction(fc.array(pattern, { maxLength: 4 })), { nil: undefined });
    const namespaces = fc.dictionary(fc.constantFrom('a', 'b', '*'), perAction(fc.constantFrom(...rules)));
    const question = fc.record({
      uid: word,
      grants,
      byDefault: fc.constantFrom<Rule>('claim', 'anyone'),
      action: fc.constantFrom(...actions),
      name,
    });
    type Entries = Record<string, { [A in Action]?: Rule }>;
    const plain = (entries: Entries, { uid, grants, byDefault, action, name }: Asked): Decision => {
      const [first = '', second] = name.split('.');
      const rule = entries[first]?.[action] ?? entries['*']?.[action] ?? byDefault;
      const listed = grants?.[action];
      const isGranted = listed?.some((pattern) => matches(pattern, name)) === true;
      if (rule === 'nobody' || (listed !== undefined && !isGranted)) return 'forbid';
      if (rule === 'claim') return isGranted ? 'allow' : 'forbid';
      if (rule === 'owner') return second === uid ? 'allow' : 'forbid';
      return rule === 'anyone' ? 'allow' : rule;
    };
    type Asked = { uid: string; grants: Grants | undefined; byDefault: Rule; action: Action; name: string };
    fc.assert(
      fc.property(
        fc.array(namespaces, { minLength: 1, maxLength: 3 }),
        fc.array(question),
        (files, asked) => {
          const decider = new Decider(noNamespaces);
          for (const entries of files) {
            decider.replace(read(entries));
            for (const one of [...asked, ...asked]) {
              const { uid, grants, byDefault, action, name } = one;
              const decision = decider.holder(uid, grants, byDefault).decide(action, name);
              expect(decision).toBe(plain(entries, one));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('what is kept of decisions', () => {
  const decider = new Decider(all('claim'));

  it('is bounded for one set of grants, which goes on deciding rightly', () => {
    const holder = decider.holder('a', { subscribe: ['x.*'] }, 'claim');
    for (let i = 0; i < 3 * maxDecisionsOfSet; i += 1) {
      expect(holder.decide('subscribe', `x.${i}`)).toBe('allow');
      expect(decider.size.decisions).toBeLessThanOrEqual(maxDecisionsOfSet);
    }
  });

  it('is bounded for all sets together: the set that has been there longest goes, and decides without being kept', () => {
    const first = decider.holder('a', { subscribe: ['first'] }, 'claim');
    for (let i = 0; i < maxGrantSets + 5; i += 1) {
      const holder = decider.holder('a', { subscribe: [`x.${i}`] }, 'claim');
      for (let j = 0; j < 200; j += 1) holder.decide('subscribe', `x.${j}`);
      expect(decider.size.sets).toBeLessThanOrEqual(maxGrantSets);
      expect(decider.size.decisions).toBeLessThanOrEqual(maxDecisions);
    }
    const before = decider.size.decisions;
    expect(first.decide('subscribe', 'first')).toBe('allow');
    expect(first.decide('subscribe', 'second')).toBe('forbid');
    expect(decider.size.decisions).toBe(before);
  });
});

describe('a decision on a pattern', () => {
  const decide = (namespaces: object, grants: Grants | undefined, name: string) =>
    new Decider(read(namespaces)).holder('alice', grants, 'claim').decide('subscribe', name);
  const open = { subscribe: 'anyone' };

  it.each([
    ['prices.*', ['prices.#'], 'allow'],
    ['prices.*', ['prices.*'], 'allow'],
    ['prices.*', ['prices.eur', 'prices.usd'], 'forbid'],
    ['prices.#', ['prices.*'], 'forbid'],
    ['room.42.#', ['room.42.#'], 'allow'],
    ['room.*.#', ['room.42.#'], 'forbid'],
  ] as const)('%s by the claim %j: %s', (name, subscribe, decision) => {
    expect(decide({}, { subscribe }, name)).toBe(decision);
  });

  it('goes by the rule of its first word', () => {
    expect(decide({ prices: open }, undefined, 'prices.#')).toBe('allow');
    expect(decide({ prices: open }, undefined, 'room.#')).toBe('forbid');
    expect(decide({ room: { subscribe: 'service' } }, undefined, 'room.*')).toBe('service');
  });

  it('allows an owner what has their id for its second word, and no wildcard there', () => {
    const inbox = { inbox: { subscribe: 'owner' } };
    expect(decide(inbox, undefined, 'inbox.alice.#')).toBe('allow');
    for (const name of ['inbox.*', 'inbox.#', 'inbox.#.alice', 'inbox.bob.#']) {
      expect(decide(inbox, undefined, name), name).toBe('forbid');
    }
  });

  it('across namespaces asks for the narrowest of all rules, of which nobody can be asked', () => {
    expect(decide({ '*': open }, undefined, '#')).toBe('allow');
    expect(decide({ '*': open, room: open }, undefined, '*.news')).toBe('allow');
    expect(decide({ '*': open, room: { subscribe: 'claim' } }, undefined, '#')).toBe('forbid');
    expect(decide({ '*': open, room: { subscribe: 'claim' } }, { subscribe: ['#'] }, '#')).toBe('allow');
    expect(decide({ '*': open, room: { subscribe: 'claim' } }, { subscribe: ['room.#'] }, '#')).toBe(
      'forbid',
    );
    for (const rule of ['nobody', 'owner', 'service', 'hook']) {
      const namespaces = { '*': open, room: { subscribe: rule } };
      expect(decide(namespaces, { subscribe: ['#'] }, '#'), rule).toBe('forbid');
    }
  });

  it('allows no pattern of which it would forbid a single topic', () => {
    const word = fc.constantFrom('a', 'alice', '*', '#');
    const pattern = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'));
    const name = fc
      .array(fc.constantFrom('a', 'b', 'alice', 'bob'), { minLength: 1, maxLength: 4 })
      .map((words) => words.join('.'));
    const rule = fc.record({ subscribe: fc.constantFrom(...rules) }, { requiredKeys: [] });
    const namespaces = fc.record({ a: rule, b: rule, '*': rule }, { requiredKeys: [] });
    const grants = fc.option(fc.record({ subscribe: fc.array(pattern, { maxLength: 2 }) }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(namespaces, grants, pattern, name, (namespaces, grants, asked, name) => {
        const holder = new Decider(read(namespaces)).holder('alice', grants, 'claim');
        if (holder.decide('subscribe', asked) !== 'allow' || !matches(asked, name)) return;
        expect(holder.decide('subscribe', name)).toBe('allow');
      }),
      { numRuns: 5_000 },
    );
  });
});
