import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Happenings, maxWaiting, type Told } from './happenings.js';
import { Life } from './life.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const who = { uid: 'u', sid: 's', epoch: 7 };

/** Happenings whose messages are confirmed, or not, by hand. */
function world() {
  const sent: string[] = [];
  const open = new Map<string, { confirm(): void; fail(): void }>();
  const happenings = new Happenings({
    publisher: {
      publish: (_exchange, key, body) =>
        new Promise((resolve, reject) => {
          const name = `${(JSON.parse(String(body)) as { session: string }).session} ${key.split('.')[1]}`;
          sent.push(name);
          open.set(name, { confirm: () => resolve('routed'), fail: () => reject(new Error('too late')) });
        }),
    },
    log: { warn: () => {} },
    now: () => 0,
  });
  const tell = (sid: string, what: Told['what']) =>
    happenings.tell({ what, uid: 'u', sid, epoch: 1, node: 'a' });
  return { happenings, sent, open, tell, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

it('of one session the next waits until the one before is confirmed, also where that has to be sent again', async () => {
  const { happenings, sent, open, tell, pass } = world();
  tell('s', 'detached');
  tell('s', 'resumed');
  tell('t', 'opened');
  expect(sent).toEqual(['s detached', 't opened']);
  open.get('s detached')?.fail();
  open.get('t opened')?.confirm();
  tell('s', 'ended');
  await pass(1_000);
  expect(sent.splice(0)).toEqual(['s detached', 't opened', 's detached']);
  for (const next of ['s detached', 's resumed', 's ended']) {
    open.get(next)?.confirm();
    await pass(0);
  }
  expect([sent, happenings.waiting, happenings.told]).toEqual([['s resumed', 's ended'], 0, 4]);
});

it('of many sessions 128 are told at a time, and beyond 100,000 that wait the oldest is dropped', async () => {
  const { happenings, sent, open, tell, pass } = world();
  for (let n = 0; n < 128 + maxWaiting; n += 1) tell(`s${n}`, 'opened');
  expect([sent.length, happenings.waiting, happenings.dropped]).toEqual([128, 128 + maxWaiting, 0]);
  tell('s0', 'detached');
  expect([happenings.waiting, happenings.dropped]).toEqual([128 + maxWaiting, 1]);
  open.get('s0 opened')?.confirm();
  await pass(0);
  open.get('s1 opened')?.confirm();
  await pass(0);
  expect(sent.slice(128)).toEqual(['s0 detached', 's129 opened']);
});

it('drops what waits also where it is all of sessions of which one is under way', () => {
  const { happenings, sent, tell } = world();
  for (let n = 0; n < 10 + maxWaiting; n += 1) tell('s', n % 2 === 0 ? 'detached' : 'resumed');
  expect([sent, happenings.waiting, happenings.dropped]).toEqual([['s detached'], 1 + maxWaiting, 9]);
});

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
  await vi.advanceTimersByTimeAsync(0);
  const onBehalf = ['u.s.7.detached.silent', 'u.s.7.resumed.silent'];
  expect(ids.sort()).toEqual(['u.s.7.detached', 'u.s.7.resumed', ...onBehalf, ...onBehalf].sort());
});
