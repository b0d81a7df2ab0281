import { expect, it } from 'vitest';
import { Happenings, type Told } from './happenings.js';
import { Life } from './life.js';

const who = { uid: 'u', sid: 's', epoch: 7 };

it('what is told on behalf of a silent edge has ids of its own, the same by whichever edge', async () => {
  const ids: (string | undefined)[] = [];
  const edge = (node: string) => {
    const happenings = new Happenings({
      publisher: {
        publish: async (_exchange, _key, _body, properties) => {
          ids.push(properties?.messageId);
          return 'routed';
        },
      },
      log: { warn: () => {} },
      now: () => 0,
    });
    return new Life({
      node,
      lifetimeMs: 300_000,
      maxSessionsPerUser: 64,
      endings: { end: async () => 'ended' },
      tell: (told: Told) => happenings.tell(told),
      isHere: () => false,
      log: { warn: () => {} },
      steadyNow: () => 0,
    });
  };
  const [silent, ...adopters] = ['a', 'b', 'c'].map(edge) as [Life, Life, Life];
  silent.welcomed(who, { isResumed: true, isMove: false });
  for (const adopter of adopters) {
    adopter.adopted(who, 'a', 20_000, undefined);
    adopter.forget([['u.s', 7]]);
  }
  silent.lost(who);
  await new Promise(setImmediate);
  const onBehalf = ['u.s.7.detached.silent', 'u.s.7.resumed.silent'];
  expect(ids.sort()).toEqual(['u.s.7.detached', 'u.s.7.resumed', ...onBehalf, ...onBehalf].sort());
});
