import type { CommandOf, MoveProgress } from '@evenkeel/protocol';
import { TicketSigner } from '@evenkeel/ticket';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSession } from '../../testing/movable-session.js';
import { edgeConfig } from '../config.js';
import { Directory } from '../session/directory.js';
import { Departures, type Movable } from './departures.js';
import { MoveLedger } from './ledger.js';
import { RecentlyLetGo } from './let-go.js';

const secret = 'departures-test-secret';
const config = edgeConfig.parse({ secret: [secret], node: 'a', movesPerSecond: 100 });
const tickets = new TicketSigner([secret]);

let departures: Departures;
let sessions: FakeSession[];
let ledger: MoveLedger;
let directory: Directory<Movable>;
let letGo: RecentlyLetGo;
let noted: unknown[][];
let reported: Map<string, MoveProgress>;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  directory = new Directory();
  ledger = new MoveLedger();
  ledger.onChange(() => {
    for (const progress of ledger.take()) reported.set(progress.move, { ...progress });
  });
  reported = new Map();
  sessions = [];
  letGo = new RecentlyLetGo(Date.now);
  const log = { warn: () => {} };
  noted = [];
  const journal = { note: (...line: unknown[]) => void noted.push(line) };
  departures = new Departures({ config, tickets, directory, ledger, letGo, journal, now: Date.now, log });
});
afterEach(() => {
  departures.stop();
  vi.useRealTimers();
});

function populate(count: number, isBare = false): void {
  for (let n = 0; n < count; n += 1) {
    const session = new FakeSession(`s${sessions.length}`, isBare);
    sessions.push(session);
    directory.set(session);
  }
}
const to = { node: 'b', url: 'ws://b/ws' };
const reconnect = (over: Partial<CommandOf<'reconnect'>> = {}) =>
  departures.reconnect({ command: 'reconnect', move: 'm1', to, ...over });
const told = () => sessions.filter((s) => s.frames.length > 0).length;

describe('pacing', () => {
  it('tells clients at the rate asked for, after a burst of a twentieth of a second', () => {
    populate(300);
    reconnect({ count: 300, ratePerSecond: 100 });
    expect(told()).toBe(5);
    vi.advanceTimersByTime(1_000);
    expect(told()).toBeGreaterThanOrEqual(104);
    expect(told()).toBeLessThanOrEqual(106);
    vi.advanceTimersByTime(2_000);
    expect(told()).toBe(300);
  });

  it('takes the configured rate where the command names none, and paces commands apart', () => {
    populate(200);
    reconnect({ move: 'm1', count: 100 });
    reconnect({ move: 'm2', count: 100, ratePerSecond: 10 });
    vi.advanceTimersByTime(545);
    const byMove = (move: string) => sessions.filter((s) => s.frames[0]?.move === move).length;
    expect(byMove('m1')).toBeGreaterThanOrEqual(58);
    expect(byMove('m1')).toBeLessThanOrEqual(60);
    expect(byMove('m2')).toBeGreaterThanOrEqual(5);
    expect(byMove('m2')).toBeLessThanOrEqual(6);
  });

  it('runs no timer when it has nothing to do', () => {
    populate(1);
    reconnect({ count: 1 });
    sessions[0]?.end('done');
    vi.advanceTimersByTime(50);
    expect(vi.getTimerCount()).toBe(0);
    expect(reported.get('m1')).toMatchObject({ done: 1, isFinal: true });
  });
});

describe('a departure', () => {
  it('gives a ticket for the process that the command names, never for longer than tickets live', () => {
    populate(1);
    reconnect({ sessions: ['u.s0'], to: { ...to, boot: 'b1' }, deadlineMs: 600_000 });
    const ticket = String(sessions[0]?.frames[0]?.ticket);
    expect(ticket.split('.')[0]).toBe('b');
    expect(tickets.check(ticket, { name: 'b', boot: 'b1' }, Date.now())).toMatchObject({
      ok: true,
      claims: { boot: 'b1', expiresAt: Date.now() + 300_000 },
    });
    const restarted = tickets.check(ticket, { name: 'b', boot: 'b2' }, Date.now());
    expect(restarted).toEqual({ ok: false, problem: 'stale' });
  });

  it('writes the ticket in the time of the target, and just newer than its own, whatever this edge takes the time for', () => {
    populate(1);
    reconnect({ sessions: ['u.s0'], to: { ...to, boot: 'b1', clockAheadMs: 3_600_000 }, deadlineMs: 30_000 });
    const ticket = String(sessions[0]?.frames[0]?.ticket);
    const at = (nowMs: number) => tickets.check(ticket, { name: 'b', boot: 'b1' }, nowMs);
    expect(at(Date.now() + 3_600_000 + 29_999)).toMatchObject({ ok: true, claims: { epoch: 6 } });
    expect(at(Date.now() + 3_600_000 + 30_000)).toMatchObject({ ok: false, problem: 'expired' });
  });

  it('gives the client a ticket for the target, newer than its own, valid until the deadline', () => {
    populate(1);
    reconnect({ sessions: ['u.s0'], deadlineMs: 9_000, reason: 'drain' });
    const [frame] = sessions[0]?.frames ?? [];
    expect(frame).toMatchObject({ t: 'move', move: 'm1', url: to.url, reason: 'drain', deadlineMs: 9_000 });
    const verdict = tickets.check(String(frame?.ticket), { name: 'b', boot: 'b1' }, Date.now());
    expect(verdict).toMatchObject({
      ok: true,
      claims: { uid: 'u', sid: 's0', node: 'b', move: 'm1', expiresAt: 1_009_000 },
    });
    if (!verdict.ok) return;
    expect(verdict.claims).not.toHaveProperty('boot');
    expect(verdict.claims.epoch).toBeGreaterThan(5);
    expect(verdict.claims.from?.split(',')[0]).toBe('a');
    expect(sessions[0]?.move).toMatchObject({ move: 'm1', deadlineAtMs: 1_009_000 });
  });

  it('counts what becomes of each, once, and is final when nothing is open', () => {
    populate(4);
    reconnect({ count: 4, ratePerSecond: 1_000 });
    const [first, second, third] = sessions;
    const move = first?.move;
    move?.onEnd('done');
    move?.onEnd('failed');
    second?.end('failed');
    third?.end('timedOut');
    vi.advanceTimersByTime(10);
    expect(reported.get('m1')).toMatchObject({
      asked: 4,
      sent: 4,
      done: 1,
      failed: 1,
      timedOut: 1,
      isFinal: false,
    });
    expect(ledger.counts).toEqual({ pending: 1, done: 1, failed: 2 });
    sessions[3]?.end('done');
    vi.advanceTimersByTime(10);
    expect(reported.get('m1')).toMatchObject({ done: 2, isFinal: true });
    expect(ledger.counts.pending).toBe(0);
  });

  it('refuses sessions that are not here, are moving already, or have gone by the time it is their turn', () => {
    populate(3);
    reconnect({ move: 'first', sessions: ['s0'] });
    reconnect({ sessions: ['s0', 'u.s1', 'nowhere', 'u.nowhere'] });
    expect(reported.get('m1')).toMatchObject({ asked: 4, sent: 1, refused: 3 });
    populate(20);
    reconnect({ move: 'slow', sessions: ['s2', 's3'], ratePerSecond: 1 });
    expect(told()).toBe(3);
    const late = sessions[3];
    if (late) late.connection.isOpen = false;
    vi.advanceTimersByTime(1_100);
    expect(reported.get('slow')).toMatchObject({ asked: 2, sent: 1, refused: 1 });
    expect(late?.frames).toEqual([]);
  });

  it('moves nobody to this edge itself', () => {
    populate(2);
    reconnect({ to: { node: 'a', url: 'ws://a' }, count: 2 });
    expect(told()).toBe(0);
    expect(reported.get('m1')).toMatchObject({ refused: 2, isFinal: true });
  });

  it('picks no session for two commands at once', () => {
    populate(10);
    reconnect({ move: 'm1', count: 6, ratePerSecond: 1 });
    reconnect({ move: 'm2', count: 6, ratePerSecond: 1 });
    vi.advanceTimersByTime(10);
    expect(reported.get('m2')).toMatchObject({ asked: 6, refused: 2 });
    vi.advanceTimersByTime(10_000);
    expect(sessions.map((s) => s.frames.length)).toEqual(sessions.map(() => 1));
  });

  it('carries a repeated command out once and answers with where it stands', () => {
    populate(3);
    reconnect({ count: 1 });
    reported.clear();
    reconnect({ count: 1 });
    expect(told()).toBe(1);
    expect(reported.get('m1')).toMatchObject({ asked: 1, sent: 1 });
  });

  it('cancelled tells nobody else; who was told goes on', () => {
    populate(10);
    reconnect({ count: 10, ratePerSecond: 10 });
    vi.advanceTimersByTime(300);
    const before = told();
    departures.cancel('m1');
    departures.cancel('unknown');
    vi.advanceTimersByTime(2_000);
    expect(told()).toBe(before);
    expect(reported.get('m1')).toMatchObject({ sent: before, refused: 10 - before, isFinal: false });
    for (const session of sessions) session.end('done');
    vi.advanceTimersByTime(10);
    expect(reported.get('m1')).toMatchObject({ done: before, isFinal: true });
    // Those not told may be picked again.
    reconnect({ move: 'm2', count: 10, ratePerSecond: 1_000 });
    expect(reported.get('m2')).toMatchObject({ asked: 10, sent: 10 });
  });

  it('is written down, and what became of each is counted, with the time of those done', () => {
    populate(3);
    reconnect({ move: '4.p7.0.3', count: 4, deadlineMs: 1_000 });
    vi.advanceTimersByTime(200);
    sessions[0]?.end('done');
    sessions[1]?.end('timedOut');
    sessions[2]?.end('failed');
    expect(noted).toHaveLength(3);
    expect(noted[0]).toEqual(['moving', sessions[0]?.claims, { plan: '4.p7', to: 'b' }]);
    const ends = { done: 1, 'timed-out': 1, failed: 1, refused: 1, pinned: 0 };
    expect(Object.fromEntries(ledger.ends)).toEqual(ends);
    expect(ledger.times.sum).toBeCloseTo(0.2);
  });

  it('closes a bare client with 1012, which counts as done', () => {
    populate(1, true);
    reconnect({ sessions: ['s0'] });
    expect(sessions[0]?.closedWith).toBe(1012);
    expect(sessions[0]?.frames).toEqual([]);
    expect(reported.get('m1')).toMatchObject({ sent: 1, done: 1, isFinal: true });
  });
});

describe('a client that the front brings back', () => {
  const comeBack = (move = 'm1') => departures.cameBack({ uid: 'u', sid: 's0', move });
  const frames = () => sessions[0]?.frames ?? [];

  it('is told again after a moment: the same move, a newer ticket, the time that is left', () => {
    populate(1);
    reconnect({ count: 1, deadlineMs: 9_000, to: { ...to, boot: 'b1' } });
    vi.advanceTimersByTime(1_000);
    expect(comeBack()).toBe(to.url);
    expect(comeBack()).toBe(to.url);
    vi.advanceTimersByTime(799);
    expect(frames()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(frames()).toHaveLength(2);
    const [first, second] = frames();
    expect(second).toEqual({ ...first, ticket: second?.ticket, deadlineMs: 7_200 });
    const [older, newer] = frames().map(({ ticket }) =>
      tickets.check(String(ticket), { name: 'b', boot: 'b1' }, Date.now()),
    );
    if (!older?.ok || !newer?.ok) throw new Error('a ticket does not hold');
    expect(newer.claims.epoch).toBeGreaterThan(older.claims.epoch);
    expect(newer.claims).toMatchObject({ move: 'm1', from: 'a', expiresAt: 1_009_000 });
    expect(reported.get('m1')).toMatchObject({ sent: 1, failed: 0 });
  });

  it('five times counts as pinned, and is told nothing more', () => {
    populate(1);
    reconnect({ count: 1 });
    for (let n = 1; n <= 5; n += 1) {
      expect(frames()).toHaveLength(n);
      comeBack();
      vi.advanceTimersByTime(800);
    }
    expect(frames()).toHaveLength(5);
    expect(reported.get('m1')).toMatchObject({ sent: 1, failed: 1, pinned: 1, isFinal: true });
    expect(ledger.counts).toEqual({ pending: 0, done: 0, failed: 1 });
    expect(comeBack()).toBe('');
    reconnect({ move: 'm2', sessions: ['s0'] });
    expect(reported.get('m2')).toMatchObject({ asked: 1, sent: 0, refused: 1, isFinal: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('counts as pinned when the deadline leaves no time for another try', () => {
    populate(1);
    reconnect({ count: 1, deadlineMs: 1_000 });
    vi.advanceTimersByTime(701);
    comeBack();
    expect(reported.get('m1')).toMatchObject({ failed: 1, pinned: 1 });
  });

  it('and gets through at last has moved: it is told no more', () => {
    populate(1);
    reconnect({ count: 1 });
    comeBack();
    sessions[0]?.end('done');
    vi.advanceTimersByTime(1_000);
    expect(frames()).toHaveLength(1);
    expect(reported.get('m1')).toMatchObject({ done: 1, failed: 0 });
    expect(reported.get('m1')).not.toHaveProperty('pinned');
  });

  it('while its session is being released is told nothing', () => {
    populate(1);
    reconnect({ count: 1 });
    comeBack();
    if (sessions[0]) sessions[0].isAttached = false;
    vi.advanceTimersByTime(1_000);
    expect(frames()).toHaveLength(1);
  });

  it('with a ticket of another move, or whose session is not here, has no try', () => {
    populate(1);
    reconnect({ count: 1 });
    expect(comeBack('earlier')).toBe('');
    expect(departures.cameBack({ uid: 'u', sid: 'gone', move: 'm1' })).toBeUndefined();
    if (sessions[0]) sessions[0].connection.isOpen = false;
    expect(comeBack()).toBeUndefined();
    vi.advanceTimersByTime(1_000);
    expect(frames()).toHaveLength(1);
  });
});

describe('pinned sessions', () => {
  it('are left out of every count, until they are forgotten or ten minutes have passed', () => {
    populate(3);
    sessions[0]?.pin.mark();
    sessions[1]?.pin.mark();
    reconnect({ move: 'm1', count: 3 });
    expect(reported.get('m1')).toMatchObject({ asked: 3, sent: 1, refused: 2 });
    vi.advanceTimersByTime(599_999);
    sessions[1]?.pin.mark();
    vi.advanceTimersByTime(1);
    reconnect({ move: 'm2', count: 2 });
    expect(reported.get('m2')).toMatchObject({ sent: 1, refused: 1 });
    departures.forgetPins();
    reconnect({ move: 'm3', count: 1 });
    expect(reported.get('m3')).toMatchObject({ sent: 1, refused: 0 });
  });

  it('alone are closed, at the pace asked for, by a command that wants them closed', () => {
    populate(1);
    populate(1, true);
    populate(2);
    for (const session of sessions.slice(0, 3)) session.pin.mark();
    reconnect({ pinned: 'close', to: { node: 'a', url: 'ws://a' }, ratePerSecond: 10 });
    vi.advanceTimersByTime(50);
    expect(sessions.map(({ closedWith }) => closedWith)).toEqual([4000, undefined, undefined, undefined]);
    vi.advanceTimersByTime(1_000);
    expect(sessions.map(({ closedWith }) => closedWith)).toEqual([4000, 1012, 4000, undefined]);
    expect(sessions.flatMap(({ frames }) => frames)).toEqual([]);
    expect(reported.get('m1')).toMatchObject({ asked: 3, sent: 3, done: 3, isFinal: true });
  });
});

describe('a bare client that was let go', () => {
  it('is known when it is back within a minute, by its session or its user, once', () => {
    populate(1, true);
    reconnect({ sessions: ['s0'] });
    vi.advanceTimersByTime(59_999);
    expect(letGo.isBack({ uid: 'u', sid: 'another' })).toBe(true);
    expect(letGo.isBack({ uid: 'u', sid: 'another' })).toBe(false);
    expect(letGo.isBack({ uid: 'u', sid: 's0' })).toBe(true);
    reconnect({ move: 'm2', sessions: ['s0'] });
    vi.advanceTimersByTime(60_000);
    expect(letGo.isBack({ uid: 'u', sid: 's0' })).toBe(false);
  });

  it('is not known of those who were let go before too many others', () => {
    const few = new RecentlyLetGo(Date.now, 2);
    for (const uid of ['a', 'b', 'c']) few.letGo({ uid, sid: 's' });
    expect(['a', 'b', 'c'].map((uid) => few.isBack({ uid, sid: 's' }))).toEqual([false, true, true]);
  });
});
