import type { CommandOf } from '@evenkeel/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Directory } from '../session/directory.js';
import { LeftBehind } from '../session/left-behind.js';
import type { Release, ReleaseMode } from '../session/release.js';
import { type Releasable, Takeovers } from './takeovers.js';

/** A session that lets go when the test says so. */
class HeldSession implements Releasable {
  readonly key = 'u.s';
  readonly claims = { uid: 'u', sid: 's', epoch: 5 };
  readonly modes: ReleaseMode[] = [];
  readonly calls: string[] = [];
  letGo: (how: Release) => void = () => {};

  async refuseReplies(): Promise<void> {
    this.calls.push('refuse replies');
  }

  release(mode: ReleaseMode): Promise<Release> {
    this.modes.push(mode);
    return new Promise((resolve) => {
      this.letGo = resolve;
    });
  }
}

let session: HeldSession;
let directory: Directory<Releasable>;
let sent: { key: string; command: CommandOf<'released'> }[];
let takeovers: Takeovers;
let handedOver: string[];
let isAway: boolean;
let noted: unknown[][];
let leftBehind: LeftBehind;
let isBack: Promise<unknown> | undefined;
const leftSeals = { back: () => isBack };
let ending: Promise<unknown> | undefined;

beforeEach(() => {
  session = new HeldSession();
  directory = new Directory();
  directory.set(session);
  sent = [];
  const publish = async (key: string, command: object) => {
    sent.push({ key, command: command as CommandOf<'released'> });
    return 'routed' as const;
  };
  const log = { error: () => {} };
  noted = [];
  const journal = { note: (...line: unknown[]) => void noted.push(line) };
  const node = { name: 'a', boot: 'boot-a' };
  ending = undefined;
  handedOver = [];
  const life = {
    ending: () => ending,
    handedOver: (key: string, _epoch: number, mode: 'move' | 'resume') => {
      handedOver.push(`${key} ${mode}`);
      return isAway;
    },
  };
  isAway = false;
  leftBehind = new LeftBehind(300_000, { doubts: 0 }, () => 0);
  isBack = undefined;
  takeovers = new Takeovers({
    node,
    outgoing: { publish },
    directory,
    life,
    leftBehind,
    leftSeals,
    journal,
    log,
  });
});

const takeover = (over: Partial<CommandOf<'takeover'>> = {}): CommandOf<'takeover'> => ({
  command: 'takeover',
  takeover: 'b-1',
  uid: 'u',
  sid: 's',
  from: 'b',
  boot: 'boot-b',
  epoch: 6,
  mode: 'move',
  takesReplies: true,
  ...over,
});
const answers = () => sent.map(({ key, command }) => [key, command.takeover, command.outcome]);
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('an edge that is asked for a session', () => {
  it('answers only when it has let it go, with how it was left', async () => {
    takeovers.onTakeover(takeover());
    await settled();
    expect(session.modes).toEqual(['move']);
    expect(sent).toEqual([]);
    session.letGo({ suspect: 2, isFull: true });
    await settled();
    expect(session.calls).toEqual([]);
    expect(sent[0]).toMatchObject({
      key: 'edge.b',
      command: {
        takeover: 'b-1',
        uid: 'u',
        sid: 's',
        from: 'a',
        outcome: 'released',
        suspect: 2,
        isFull: true,
      },
    });
  });

  it('names no seal that is still to come to an edge that would look for it at once', async () => {
    const seal = { name: 'x', behind: 0, at: 'a' };
    for (const takesLeftSeals of [true, undefined]) {
      const held = new HeldSession();
      directory.set(held);
      const asked = takeover({ takeover: `b-${takesLeftSeals}`, mode: 'resume', takesLeftSeals });
      takeovers.onTakeover(asked);
      held.letGo({ suspect: 0, isFull: false, seal });
      await settled();
      directory.remove(held);
      leftBehind.note('u.s', { position: undefined, isLasting: false, seal });
      takeovers.onTakeover({ ...asked, takeover: `c-${takesLeftSeals}` });
    }
    const told = sent.map(({ command }) => [command.outcome, command.seal?.at, command.owed]);
    expect(told).toEqual([
      ['released', 'a', undefined],
      ['unknown', 'a', undefined],
      ['released', undefined, 'overflow'],
      ['unknown', undefined, 'overflow'],
    ]);
  });

  it('writes down who has it now, and whether it was moved there', async () => {
    takeovers.onTakeover(takeover({ move: '4.p7.0.3' }));
    session.letGo({ suspect: 0, isFull: false });
    await settled();
    const after = new HeldSession();
    directory.set(after);
    takeovers.onTakeover(takeover({ takeover: 'b-2', mode: 'resume', epoch: 9 }));
    after.letGo({ suspect: 0, isFull: false });
    await settled();
    expect(noted).toEqual([
      ['moved-away', session.claims, { to: 'b', plan: '4.p7' }],
      ['taken-over', after.claims, { to: 'b' }],
    ]);
  });

  it('stops replies by mesh.replies before it hands a session to an edge that would take them for events', async () => {
    takeovers.onTakeover(takeover({ takesReplies: undefined }));
    expect(session.calls).toEqual([]);
    session.letGo({ suspect: 0, isFull: false });
    await settled();
    expect(session.calls).toEqual(['refuse replies']);
    expect(answers()).toEqual([['edge.b', 'b-1', 'released']]);
  });

  it('says so when it does not have it, each time anew', () => {
    directory.remove(session);
    takeovers.onTakeover(takeover());
    directory.set(session);
    takeovers.onTakeover(takeover());
    expect(answers()).toEqual([['edge.b', 'b-1', 'unknown']]);
    expect(session.modes).toEqual(['move']);
  });

  it('says what it has left behind also to whoever asks again, since the answer may be lost', () => {
    directory.remove(session);
    leftBehind.note('u.s', { position: undefined, isLasting: false, suspect: undefined, ids: ['m1'] });
    for (let n = 0; n < 2; n += 1) takeovers.onTakeover(takeover());
    takeovers.onTakeover(takeover({ takeover: 'c-1', from: 'c' }));
    expect(sent.map(({ key, command }) => [key, command.outcome, command.ids])).toEqual([
      ['edge.b', 'unknown', ['m1']],
      ['edge.b', 'unknown', ['m1']],
      ['edge.c', 'unknown', undefined],
    ]);
    directory.set(session);
    takeovers.onTakeover(takeover());
    expect(session.modes).toEqual(['move']);
  });

  it('says nothing of a session whose seal it still has to put back until it has: who asks looks for it in the queue', async () => {
    directory.remove(session);
    let putBack = () => {};
    isBack = new Promise<void>((resolve) => {
      putBack = resolve;
    });
    takeovers.onTakeover(takeover());
    await settled();
    expect(answers()).toEqual([]);
    isBack = undefined;
    putBack();
    await settled();
    expect(answers()).toEqual([['edge.b', 'b-1', 'unknown']]);
  });

  it('knows nothing of a session that it was still to get itself', async () => {
    takeovers.onTakeover(takeover());
    directory.remove(session);
    session.letGo({ suspect: 0, isFull: false, isUnheld: true });
    await settled();
    expect(answers()).toEqual([['edge.b', 'b-1', 'unknown']]);
  });

  it('refuses whoever comes with an older ticket', () => {
    takeovers.onTakeover(takeover({ epoch: 4 }));
    expect(answers()).toEqual([['edge.b', 'b-1', 'refused']]);
    expect(session.modes).toEqual([]);
  });

  it('releases once to a question that is repeated, and repeats its answer', async () => {
    for (let n = 0; n < 3; n += 1) takeovers.onTakeover(takeover());
    expect(session.modes).toEqual(['move']);
    session.letGo({ suspect: undefined, isFull: false });
    await settled();
    directory.remove(session);
    takeovers.onTakeover(takeover());
    expect(answers()).toEqual([
      ['edge.b', 'b-1', 'released'],
      ['edge.b', 'b-1', 'released'],
    ]);
    expect(sent[0]?.command).not.toHaveProperty('isFull');
  });

  it('gives the session to the newest of several that ask, and refuses the others', async () => {
    takeovers.onTakeover(takeover());
    takeovers.onTakeover(takeover({ takeover: 'c-1', from: 'c', epoch: 8 }));
    takeovers.onTakeover(takeover({ takeover: 'd-1', from: 'd', epoch: 7 }));
    session.letGo({ suspect: 0, isFull: false });
    await settled();
    expect(answers()).toEqual([
      ['edge.b', 'b-1', 'refused'],
      ['edge.d', 'd-1', 'refused'],
      ['edge.c', 'c-1', 'released'],
    ]);
  });

  it('does not answer its own questions', () => {
    takeovers.onTakeover(takeover({ boot: 'boot-a' }));
    expect(sent).toEqual([]);
    expect(session.modes).toEqual([]);
  });

  it('repeats a pass as long as there are few: of 1 MiB of them the oldest are left out', async () => {
    const move = async (n: number) => {
      const held = new HeldSession();
      directory.set(held);
      takeovers.onTakeover(takeover({ takeover: `x-${n}` }));
      held.letGo({
        suspect: 0,
        isFull: false,
        pass: { hash: `h${n}`, exp: 1, rev: n },
        newPass: 'p'.repeat(16_384),
      });
      await settled();
      directory.remove(held);
    };
    await move(0);
    takeovers.onTakeover(takeover({ takeover: 'x-0' }));
    expect(sent.at(-1)?.command.newPass).toHaveLength(16_384);
    for (let n = 1; n <= 64; n += 1) await move(n);
    takeovers.onTakeover(takeover({ takeover: 'x-0' }));
    expect(sent.at(-1)?.command).toMatchObject({ outcome: 'released', pass: { hash: 'h0' } });
    expect(sent.at(-1)?.command).not.toHaveProperty('newPass');
    takeovers.onTakeover(takeover({ takeover: 'x-1' }));
    expect(sent.at(-1)?.command.newPass).toHaveLength(16_384);
  });

  it('forgets the oldest of over 10,000 answers', async () => {
    takeovers.onTakeover(takeover());
    session.letGo({ suspect: 0, isFull: false });
    await settled();
    directory.remove(session);
    const other = new HeldSession();
    directory.set(other);
    for (let n = 0; n < 10_000; n += 1) takeovers.onTakeover(takeover({ takeover: `x-${n}`, epoch: 1 }));
    directory.remove(other);
    takeovers.onTakeover(takeover());
    expect(answers().at(-1)).toEqual(['edge.b', 'b-1', 'unknown']);
    takeovers.onTakeover(takeover({ takeover: 'x-0', epoch: 1 }));
    expect(answers().at(-1)).toEqual(['edge.b', 'x-0', 'refused']);
  });
});
