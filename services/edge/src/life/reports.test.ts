import type { SessionsReport } from '@evenkeel/protocol';
import { sessionsReport } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Life } from './life.js';
import { SessionReports } from './reports.js';

let sent: SessionsReport[];
let isAway: boolean;
let life: Life;
let reports: SessionReports;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  isAway = false;
  const steadyNow = () => Date.now();
  life = new Life({
    node: 'a',
    lifetimeMs: 300_000,
    maxSessionsPerUser: 64,
    endings: { end: async () => 'ended' },
    tell: () => {},
    isHere: () => false,
    steadyNow,
    log: { warn: () => {} },
  });
  reports = new SessionReports({
    node: { name: 'a', boot: 'b' },
    life,
    async send(report) {
      if (isAway) throw new Error('away');
      sent.push(sessionsReport.parse(report));
    },
    steadyNow,
  });
  reports.start();
});
afterEach(() => {
  vi.useRealTimers();
});

const isNew = { isResumed: false, isMove: false };
const come = (sid: string, epoch = 1) => life.welcomed({ uid: 'u', sid, epoch }, isNew);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const base = { v: 1, node: 'a', boot: 'b' };

it('begins with a list of all, which is empty, and says every five seconds that it is there', async () => {
  await pass(0);
  expect(sent).toEqual([{ ...base, seq: 1, begins: true, ends: true }]);
  await pass(5_400);
  expect(sent.slice(1)).toEqual([{ ...base, seq: 2 }]);
});

it('reports the first change at once, and those of the next 200 ms together, as they are by then', async () => {
  await pass(1_000);
  come('s1');
  await pass(0);
  expect(sent[1]).toEqual({ ...base, seq: 2, held: [['u.s1', 1]] });
  come('s2');
  life.lost({ uid: 'u', sid: 's2', epoch: 1 });
  life.handedOver('u.s1', 2, 'move');
  await pass(399);
  expect(sent.slice(2)).toEqual([
    { ...base, seq: 3, away: [['u.s2', 1, expect.any(Number)]], gone: [['u.s1', 1]] },
  ]);
});

it('reports 500 sessions in a message and five messages a second at most', async () => {
  await pass(1_000);
  for (let n = 0; n < 1_200; n += 1) come(`s${n}`);
  await pass(999);
  const counts = sent.slice(1).map(({ held = [] }) => held.length);
  expect(counts).toEqual([500, 500, 200]);
});

it('lists all of them when it is asked to, and when a report was lost', async () => {
  come('s1');
  life.lost({ uid: 'u', sid: 's2', epoch: 3 });
  await pass(1_000);
  sent = [];
  reports.all();
  await pass(200);
  const all = { begins: true, ends: true, held: [['u.s1', 1]], away: [['u.s2', 3, expect.any(Number)]] };
  expect(sent).toMatchObject([all]);
  isAway = true;
  come('s3');
  await pass(400);
  isAway = false;
  await pass(400);
  expect(sent.at(-1)).toMatchObject({
    begins: true,
    ends: true,
    held: [
      ['u.s1', 1],
      ['u.s3', 1],
    ],
  });
});

it('reports what is left at its stop', async () => {
  await pass(1_000);
  come('s1');
  const stopping = reports.stop();
  await pass(0);
  await stopping;
  expect(sent.at(-1)).toMatchObject({ held: [['u.s1', 1]] });
});
