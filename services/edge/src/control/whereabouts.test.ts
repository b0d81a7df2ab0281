import type { EdgeReply } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Locatable, Whereabouts } from './whereabouts.js';

/** A session that is all that is asked of it here. */
const session = (sid: string, isHeld: boolean) =>
  ({
    claims: { uid: 'alice', sid, epoch: 1 },
    attachedAtMs: 5,
    connection: { openedAtMs: 4, isOpen: true, isBare: false, address: '127.0.0.1' },
    name: 'c.1',
    topics: 0,
    outbox: { unacked: 0 },
    intake: { ackedAtMs: undefined },
    pin: { isHeld },
    state: 'attached',
    end: () => {},
  }) as unknown as Locatable;

type Asked = (whereabouts: Whereabouts) => void;

/** Whom an edge names that has these sessions. */
async function heldOf(
  sessions: Locatable[],
  ask: Asked = (whereabouts) => whereabouts.describe({ command: 'describe', ask: 'a', reply: 'b' }),
): Promise<string[]> {
  const replies: EdgeReply[] = [];
  const whereabouts = new Whereabouts({
    node: { name: 'e1', boot: 'b1' },
    directory: { values: () => sessions.values(), tracked: () => sessions.values(), find: () => undefined },
    life: { awayOf: () => [] },
    past: { of: () => undefined },
    control: {
      reply: async (_to: string, reply: EdgeReply) => {
        replies.push(reply);
      },
    },
    about: () => ({ limits: {}, settings: {} }),
  } as unknown as ConstructorParameters<typeof Whereabouts>[0]);
  ask(whereabouts);
  return replies.flatMap((reply) => reply.sessions.map((each) => each.session));
}

it('an edge that is asked what it is names ten of its sessions, first those that the front keeps there', async () => {
  const all = Array.from({ length: 30 }, (_, i) => session(`s${i}`, i >= 27));
  expect(await heldOf(all)).toEqual(['s27', 's28', 's29', ...Array.from({ length: 7 }, (_, i) => `s${i}`)]);
  expect(await heldOf(all.slice(0, 2))).toEqual(['s0', 's1']);
  expect(await heldOf([])).toEqual([]);
});

it('everybody who is there is sent back at the pace that is given, and nobody who comes meanwhile', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const ended: string[] = [];
  const held = (sid: string) => ({
    ...session(sid, false),
    end: (reason: string, why?: { code: number }) => void ended.push(`${sid} ${reason} ${why?.code}`),
  });
  const all = Array.from({ length: 30 }, (_, i) => held(`s${i}`));
  const endAway = vi.fn();
  const whereabouts = new Whereabouts({
    node: { name: 'e1', boot: 'b1' },
    directory: { values: () => all.values(), tracked: () => all.values() },
    life: { endAway },
    control: { reply: async () => {} },
  } as unknown as ConstructorParameters<typeof Whereabouts>[0]);
  whereabouts.sendBack({ command: 'send-back', ratePerSecond: 20, ask: 'a', reply: 'b' });
  all.push(held('late'));
  expect(endAway).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(ended).toHaveLength(20);
  vi.advanceTimersByTime(5_000);
  expect(ended).toEqual(Array.from({ length: 30 }, (_, i) => `s${i} disconnected 4000`));
});

it('a session that has not said hello yet is found by its id, and by that with its user', async () => {
  const silent = ['s1', 's2'].map((sid) => ({ ...session(sid, false), state: 'opened' }));
  const found = (reference: string) =>
    heldOf(silent, (whereabouts) =>
      whereabouts.inspect({ command: 'inspect', session: reference, ask: 'a', reply: 'b' }),
    );
  expect(await found('s2')).toEqual(['s2']);
  expect(await found('alice.s1')).toEqual(['s1']);
  expect(await found('bob.s1')).toEqual([]);
});
