import type { DenialRecord } from '@evenkeel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Deniable, DenialList } from './list.js';

const users = ['alice', 'bob', '~QQ'];
const sids = ['s1', 's2'];
const subject = fc.oneof(
  fc.record({ user: fc.constantFrom(...users) }),
  fc.record({ session: fc.constantFrom(...sids, ...users.flatMap((u) => sids.map((s) => `${u}.${s}`))) }),
);
const common = { id: fc.constant('r'), atMs: fc.constant(0) };
const record: fc.Arbitrary<DenialRecord> = fc.oneof(
  fc
    .tuple(fc.record({ kind: fc.constant('deny' as const), ...common, untilMs: fc.nat(100) }), subject)
    .map(([rest, who]) => ({ ...rest, ...who })),
  fc
    .tuple(fc.record({ kind: fc.constant('allow' as const), ...common }), subject)
    .map(([rest, who]) => ({ ...rest, ...who })),
  fc.record({ kind: fc.constant('forget' as const), ...common, user: fc.constantFrom(...users) }),
);
/** Each record comes at its time. */
const history = fc.array(fc.tuple(record, fc.nat(5)), { maxLength: 40 }).map((steps) => {
  let nowMs = 0;
  return steps.map(([each, laterMs]) => {
    nowMs += laterMs;
    return { record: each, nowMs };
  });
});
const everybody: Deniable[] = users.flatMap((uid) => [...sids, undefined].map((sid) => ({ uid, sid })));

/** Of each way to name it the newest record decides. */
function expected(records: readonly DenialRecord[], { uid, sid }: Deniable, nowMs: number): boolean {
  const isDenied = (isAbout: (r: DenialRecord) => boolean) => {
    const newest = records.findLast(isAbout);
    return newest?.kind === 'deny' && nowMs < newest.untilMs;
  };
  const bySession = (ref: string, owner?: string) =>
    isDenied((r) => (r.kind === 'forget' ? r.user === owner : r.session === ref));
  return (
    isDenied((r) => r.user === uid) ||
    (sid !== undefined && (bySession(sid) || bySession(`${uid}.${sid}`, uid)))
  );
}

describe('DenialList', () => {
  it('says after any records what the newest about each user and session says, at any later time', () => {
    fc.assert(
      fc.property(history, fc.nat(120), (steps, laterMs) => {
        const list = new DenialList();
        for (const { record: each, nowMs } of steps) list.apply(each, nowMs);
        const nowMs = (steps.at(-1)?.nowMs ?? 0) + laterMs;
        const records = steps.map((step) => step.record);
        for (const who of everybody) expect(list.denies(who, nowMs)).toBe(expected(records, who, nowMs));
      }),
    );
  });

  it('lists exactly those that are in force', () => {
    fc.assert(
      fc.property(history, fc.nat(120), (steps, laterMs) => {
        const list = new DenialList();
        for (const { record: each, nowMs } of steps) list.apply(each, nowMs);
        const nowMs = (steps.at(-1)?.nowMs ?? 0) + laterMs;
        const again = new DenialList();
        for (const { untilMs, ...who } of list.inForce(nowMs))
          again.apply({ kind: 'deny', id: 'r', atMs: 0, untilMs, ...who }, nowMs);
        for (const who of everybody) expect(again.denies(who, nowMs)).toBe(list.denies(who, nowMs));
      }),
    );
  });

  it('read again, is as before, whatever of the oldest records has gone since then', () => {
    fc.assert(
      fc.property(history, fc.nat(40), (steps, dropped) => {
        const nowMs = steps.at(-1)?.nowMs ?? 0;
        const known = new DenialList();
        for (const step of steps) known.apply(step.record, step.nowMs);
        const next = new DenialList();
        for (const step of steps.slice(dropped)) next.apply(step.record, nowMs);
        const kept = next.keepFrom(known, nowMs);
        for (const who of everybody) expect(next.denies(who, nowMs)).toBe(known.denies(who, nowMs));
        if (dropped === 0) expect(kept).toEqual([]);
      }),
    );
  });

  it('holds as many as its limit and forgets none for one more, but those that have expired', () => {
    const list = new DenialList(2);
    const deny = (user: string, untilMs: number): DenialRecord => ({
      kind: 'deny',
      id: 'r',
      atMs: 0,
      user,
      untilMs,
    });
    expect([list.apply(deny('a', 10), 0), list.apply(deny('b', 20), 0)]).toEqual([true, true]);
    expect(list.apply(deny('c', 30), 5)).toBe(false);
    expect([
      list.denies({ uid: 'a', sid: undefined }, 5),
      list.denies({ uid: 'c', sid: undefined }, 5),
    ]).toEqual([true, false]);
    // Of who is on it the time can be changed.
    expect(list.apply(deny('b', 40), 5)).toBe(true);
    expect(list.apply(deny('c', 30), 10)).toBe(true);
    expect(list.count(10)).toBe(2);
    // As time passes, without any record.
    expect([list.count(30), list.count(40)]).toEqual([1, 0]);
  });

  it('remembers of records only what they say once it has been read', () => {
    const told = new DenialList();
    told.forgetNames();
    told.apply({ kind: 'deny', id: 'r', atMs: 0, user: 'a', untilMs: 10 }, 0);
    const older = new DenialList();
    older.apply({ kind: 'deny', id: 'r', atMs: 0, user: 'b', untilMs: 10 }, 0);
    expect(told.keepFrom(older, 0)).toEqual([]);
    expect([...told.inForce(0)]).toEqual([{ user: 'a', untilMs: 10 }]);
  });
});
