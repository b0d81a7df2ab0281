import type { CloseCode } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Directory } from '../session/directory.js';
import { Denying } from './denying.js';
import { Whereabouts } from './whereabouts.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function socket(uid: string, sid: string, state = 'attached') {
  return {
    key: `${uid}.${sid}`,
    claims: { uid, sid, epoch: 1 },
    name: 'c1',
    pin: { isHeld: false },
    topics: 0,
    intake: { ackedAtMs: undefined },
    state,
    attachedAtMs: 0,
    connection: { openedAtMs: 1, isOpen: true, isBare: false, address: '::1' },
    outbox: { unacked: 0 },
    ended: [] as (CloseCode['code'] | undefined)[],
    end(_reason: 'disconnected', why?: CloseCode) {
      this.ended.push(why?.code);
    },
  };
}

/** Each is tracked; those that have said hello are listed too. */
function directoryOf(...sockets: ReturnType<typeof socket>[]) {
  const directory = new Directory<ReturnType<typeof socket>>();
  for (const each of sockets) {
    directory.track(each);
    if (each.state === 'attached') directory.set(each);
  }
  return directory;
}

it('ends what is denied whatever its state, and sessions without a socket, and nobody else', () => {
  const attached = socket('eve', 's1');
  const silent = socket('eve', 's2', 'opened');
  const left = socket('eve', 's3', 'moved');
  const other = socket('alice', 's4');
  const away = [
    { uid: 'eve', sid: 's5', epoch: 1 },
    { uid: 'alice', sid: 's6', epoch: 1 },
  ];
  const ended: string[] = [];
  const denying = new Denying({
    denials: { denies: ({ uid }) => uid === 'eve' },
    directory: directoryOf(attached, silent, left, other),
    life: { endAway: (isOfThem) => void ended.push(...away.filter(isOfThem).map(({ sid }) => sid)) },
  });
  denying.enforce();
  vi.advanceTimersByTime(250);
  expect([attached, silent, left, other].map((each) => each.ended)).toEqual([[4503], [4503], [4503], []]);
  expect(ended).toEqual(['s5']);
  expect(denying.denied).toBe(3);
});

it('looks once at all sessions for the records of a quarter of a second, and counts a socket that is closing once', () => {
  const eve = socket('eve', 's1');
  let walks = 0;
  const denying = new Denying({
    denials: { denies: ({ uid }) => uid === 'eve' },
    directory: directoryOf(eve),
    life: {
      endAway: () => {
        walks += 1;
      },
    },
  });
  for (let n = 0; n < 100; n += 1) denying.enforce();
  expect([walks, eve.ended]).toEqual([0, []]);
  vi.advanceTimersByTime(250);
  expect([walks, eve.ended, denying.denied]).toEqual([1, [4503], 1]);
  denying.enforce();
  vi.advanceTimersByTime(250);
  expect([walks, denying.denied]).toEqual([2, 1]);
  denying.enforce();
  denying.stop();
  vi.advanceTimersByTime(1_000);
  expect(walks).toBe(2);
});

it('disconnect names sockets that have not said hello and sessions without a socket, and closes them', () => {
  const attached = socket('eve', 's1');
  const silent = socket('eve', 's2', 'opened');
  const replies: string[][] = [];
  const whereabouts = new Whereabouts({
    node: { name: 'e1', boot: 'b' },
    directory: directoryOf(attached, silent, socket('alice', 's3', 'opened')),
    control: {
      reply: async (_asker, { sessions }) => void replies.push(sessions.map(({ session }) => session)),
    },
    life: { endAway: () => undefined, awayOf: () => [{ uid: 'eve', sid: 's4', epoch: 1, sinceMs: 1 }] },
    past: { of: () => undefined },
    about: () => ({ limits: {}, settings: {} }),
  });
  whereabouts.disconnect({ command: 'disconnect', uid: 'eve', reply: 'r', ask: 'a' });
  expect(replies).toEqual([['s1', 's2', 's4']]);
  expect([attached.ended, silent.ended]).toEqual([[undefined], [undefined]]);
});
