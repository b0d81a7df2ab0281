import type { StreamListener } from '@evenkeel/broker';
import type { DenialRecord } from '@evenkeel/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Denials } from './denials.js';
import type { Denied } from './list.js';

type Written = Omit<DenialRecord, 'id' | 'atMs'> & Record<string, unknown>;

let listener: StreamListener;
let denials: Denials;
let nowMs: number;
let changes: number;
let missing: Denied[][];
let warnings: string[];

beforeEach(() => {
  nowMs = 1_000;
  changes = 0;
  missing = [];
  warnings = [];
  denials = new Denials({
    connection: {
      stream: (_queue, given) => {
        listener = given;
        return {
          start: () => undefined,
          stop: async () => undefined,
          readiness: () => 'not read yet',
        } as never;
      },
    },
    now: () => nowMs,
    log: { warn: (_fields, message) => warnings.push(message) },
    onChange: () => {
      changes += 1;
    },
    onMissing: (denied) => missing.push([...denied]),
  });
});

const write = (record: Written, exchange = '') =>
  listener.onRecord(
    {
      body: Buffer.from(JSON.stringify({ id: 'r', atMs: 0, ...record })),
      exchange,
      key: 'mesh.denials',
      properties: { headers: {} },
    },
    0,
  );
const deny = (user: string, untilMs = 5_000) => write({ kind: 'deny', user, untilMs });
const allow = (user: string) => write({ kind: 'allow', user });
const read = (...records: (() => void)[]) => {
  listener.onStart();
  for (const each of records) each();
  listener.onCaughtUp();
};
const denied = () => ['alice', 'bob', 'carol'].filter((uid) => denials.denies({ uid, sid: 's' }));
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('denials', () => {
  it('count once the stream has been read whole, and then as they come', async () => {
    listener.onStart();
    deny('alice');
    deny('bob');
    allow('bob');
    await turn();
    expect([denied(), changes, denials.readiness()]).toEqual([[], 0, 'not read yet']);
    listener.onCaughtUp();
    expect([denied(), denials.readiness()]).toEqual([['alice'], true]);
    deny('bob');
    expect(denied()).toEqual(['alice', 'bob']);
    await turn();
    expect(changes).toBe(1);
  });

  it('change nothing for anybody who is let in: only a new denial is told as a change', async () => {
    read(() => deny('alice'));
    await turn();
    changes = 0;
    allow('alice');
    write({ kind: 'forget', user: 'bob' });
    await turn();
    expect(changes).toBe(0);
  });

  it('hold as they were written until another record is about the same', () => {
    read(
      () => deny('alice'),
      () => deny('bob'),
    );
    const holds = () => ['alice', 'bob'].map((user) => denials.holds({ user, untilMs: 5_000 }));
    expect(holds()).toEqual([true, true]);
    deny('alice', 6_000);
    allow('bob');
    expect(holds()).toEqual([false, false]);
    expect(denials.holds({ user: 'alice', untilMs: 6_000 })).toBe(true);
    nowMs = 6_000;
    expect(denials.holds({ user: 'alice', untilMs: 6_000 })).toBe(false);
  });

  it('are counted while they are in force', () => {
    read(
      () => deny('alice', 2_000),
      () => deny('bob'),
    );
    expect(denials.size).toBe(2);
    nowMs = 2_000;
    expect(denials.size).toBe(1);
  });

  it('end at their time', () => {
    read(() => deny('alice', 2_000));
    nowMs = 1_999;
    expect(denied()).toEqual(['alice']);
    nowMs = 2_000;
    expect(denied()).toEqual([]);
  });

  it('hold while the stream is lost and until it has been read again, which denies nobody who was allowed since', () => {
    read(() => deny('alice'));
    listener.onLost('connection lost');
    expect(denied()).toEqual(['alice']);
    listener.onStart();
    deny('alice');
    deny('bob');
    expect(denied()).toEqual(['alice']);
    allow('bob');
    allow('alice');
    listener.onCaughtUp();
    expect(denied()).toEqual([]);
    expect(missing).toEqual([]);
  });

  it('hold when the stream has lost them, and are named for whoever may write them again', () => {
    read(
      () => deny('alice'),
      () => deny('bob'),
      () => deny('carol', 1_001),
    );
    nowMs = 1_500;
    read(() => deny('bob'));
    expect(denied()).toEqual(['alice', 'bob']);
    expect(missing).toEqual([[{ user: 'alice', untilMs: 5_000 }]]);
  });

  it('of a reading that breaks off count for nothing', () => {
    read();
    listener.onStart();
    deny('alice');
    listener.onLost('its channel was closed');
    read();
    expect(denied()).toEqual([]);
  });

  it('come from the balancer alone: what another exchange has brought, and what is no record, is left out', () => {
    read();
    write({ kind: 'deny', user: 'alice', untilMs: 5_000 }, 'mesh.events');
    write({ kind: 'deny', untilMs: 5_000 } as Written);
    write({ kind: 'deny', user: 'bob', session: 's', untilMs: 5_000 } as Written);
    write({ kind: 'deny', user: 'no.uid', untilMs: 5_000 });
    write({ kind: 'allow' } as Written);
    expect([denied(), denials.size]).toEqual([[], 0]);
    expect(warnings).toEqual(['denial not understood']);
  });
});
