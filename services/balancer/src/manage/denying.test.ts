import { BrokerError } from '@evenkeel/broker';
import type { Denied } from '@evenkeel/mesh';
import { denialRecord, longestDenialMs } from '@evenkeel/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Denying } from './denying.js';
import { forget } from './forget.js';

const nowMs = 1_700_000_000_000;
let written: unknown[];
let publish: () => Promise<'routed' | 'unrouted'>;
let inForce: Denied[];
let room: boolean;
let owed: Denied[];
let denying: Denying;

beforeEach(() => {
  written = [];
  publish = async () => 'routed';
  inForce = [];
  room = true;
  owed = [];
  denying = new Denying({
    denials: { hasRoom: () => room, inForce: () => inForce },
    publisher: {
      publish: async (exchange, key, body, properties) => {
        written.push({ exchange, key, persistent: properties?.persistent, record: JSON.parse(String(body)) });
        return await publish();
      },
    },
    owed: {
      add: (lost) => void owed.push(...lost),
      take: (isAbout) => {
        const taken = owed.filter(isAbout);
        owed = owed.filter((each) => !taken.includes(each));
        return taken;
      },
    },
    userId: 'balancer',
    now: () => nowMs,
    waitMs: 1_000,
  });
});

const records = () => written.map((each) => (each as { record: unknown }).record);

describe('deny', () => {
  it('writes a record to the stream that outlives the broker, and answers once that has it', async () => {
    expect(await denying.deny({ user: 'Zoë', reason: 'spam' })).toMatchObject({
      ok: true,
      user: 'Zoë',
      untilMs: nowMs + longestDenialMs,
    });
    expect(written).toMatchObject([{ exchange: '', key: 'mesh.denials', persistent: true }]);
    expect(denialRecord.parse(records()[0])).toMatchObject({ kind: 'deny', user: '~Wm_Dqw', reason: 'spam' });
  });

  it.each([
    ['past', -1],
    ['now', 0],
    ['in 31 days', longestDenialMs + 86_400_000],
  ])('refuses an end that is %s', async (_what, aheadMs) => {
    const denied = denying.deny({ user: 'alice', untilMs: nowMs + aheadMs });
    await expect(denied).rejects.toMatchObject({ code: 'bad-command' });
    expect(written).toEqual([]);
  });

  it('takes an end that a clock a little ahead has made', async () => {
    const answer = await denying.deny({ session: 'alice.s', untilMs: nowMs + longestDenialMs + 30_000 });
    expect(answer).toMatchObject({ session: 'alice.s', untilMs: nowMs + longestDenialMs });
  });

  it('refuses one too many, but changes those that there are', async () => {
    room = false;
    inForce = [{ user: 'alice', untilMs: nowMs + 1 }];
    await expect(denying.deny({ user: 'bob' })).rejects.toMatchObject({ code: 'denials-full' });
    await denying.deny({ user: 'alice' });
    expect(written).toHaveLength(1);
  });

  it.each([
    ['the broker does not confirm', () => Promise.reject(new BrokerError('publish-timeout', 'late'))],
    ['there is no stream', async () => 'unrouted' as const],
  ])('says that it is not written where %s', async (_why, outcome) => {
    publish = outcome;
    await expect(denying.deny({ user: 'alice' })).rejects.toMatchObject({ code: 'not-written' });
  });

  it('refuses a user id that cannot be carried', async () => {
    await expect(denying.deny({ user: 'x'.repeat(200) })).rejects.toMatchObject({ code: 'bad-user' });
  });
});

describe('allow', () => {
  it('is written whether or not this balancer knows of a denial', async () => {
    expect(await denying.allow({ user: 'alice' })).toMatchObject({ ok: true, wasDenied: false });
    inForce = [{ session: 's1', untilMs: nowMs + 1 }];
    expect(await denying.allow({ session: 's1' })).toMatchObject({ ok: true, wasDenied: true });
    expect(records()).toMatchObject([
      { kind: 'allow', user: 'alice' },
      { kind: 'allow', session: 's1' },
    ]);
  });
});

describe('what the stream is owed', () => {
  it.each([
    ['deny', () => denying.deny({ user: 'alice' }), 2],
    ['allow', () => denying.allow({ user: 'alice' }), 2],
    ['forget', () => denying.forget('alice'), 1],
  ])(
    'is not written after %s of the same, and is owed again where that fails',
    async (_kind, command, left) => {
      const all = [
        { session: 'alice.s', untilMs: 1 },
        { user: 'bob', untilMs: 1 },
        { user: 'alice', untilMs: 1 },
      ];
      owed = all;
      publish = () => Promise.reject(new BrokerError('publish-timeout', 'late'));
      await expect(command()).rejects.toMatchObject({ code: 'not-written' });
      expect(new Set(owed)).toEqual(new Set(all));
      publish = async () => {
        expect(owed).toHaveLength(left);
        return 'routed';
      };
      await command();
      expect(owed).toHaveLength(left);
    },
  );
});

describe('forget', () => {
  it("counts the user's denials, ends the sessions, and says what is left", async () => {
    inForce = [
      { user: 'alice', untilMs: nowMs + 1 },
      { session: 'alice.s', untilMs: nowMs + 1 },
      { session: 'alicex.s', untilMs: nowMs + 1 },
      { session: 's', untilMs: nowMs + 1 },
    ];
    const asked: object[] = [];
    const answer = await forget('alice', {
      denying,
      ask: async (question) => {
        asked.push(question);
        return { replies: [], answered: 1, missing: ['e2'] };
      },
    });
    expect(asked).toEqual([{ command: 'disconnect', uid: 'alice' }]);
    expect(answer).toMatchObject({ ok: true, denials: 2, missing: ['e2'] });
    expect(answer).toHaveProperty('left', expect.arrayContaining([expect.stringContaining('mesh.denials')]));
    expect(records()).toMatchObject([{ kind: 'forget', user: 'alice' }]);
  });
});

describe('denials', () => {
  it('has users as applications know them, a thousand at most, and how many there are', () => {
    inForce = Array.from({ length: 1_001 }, () => ({ user: '~Wm_Dqw', untilMs: 1 }));
    const { denials, total } = denying.list() as unknown as { denials: Denied[]; total: number };
    expect([denials.length, denials[0]?.user, total]).toEqual([1_000, 'Zoë', 1_001]);
  });
});
