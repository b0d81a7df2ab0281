import { describe, expect, it } from 'vitest';
import { clientFrame } from './client.js';
import { edgeCommand, edgeReply } from './control.js';
import { nodeStats } from './stats.js';

const reconnect = { command: 'reconnect', move: 'p.1.1', to: { node: 'e2', url: 'wss://e2/ws' } };
const ring = { points: 160, nodes: [{ node: 'e1', weight: 1 }] };
const takeover = {
  command: 'takeover',
  takeover: 't',
  uid: 'u',
  sid: 's',
  from: 'e2',
  boot: 'b',
  epoch: 1,
  mode: 'move',
};
const stats = {
  v: 1,
  node: 'e1',
  url: 'wss://e1/ws',
  boot: 'b',
  seq: 1,
  at: 1,
  state: 'active',
  version: '1',
  weight: 1,
  capacity: 1,
  connections: 0,
  sessions: 0,
  detached: 0,
  unacked: 0,
  deliveredPerSecond: 0,
  receivedPerSecond: 0,
  bytesPerSecond: 0,
  handshakesPerSecond: 0,
  handshakeP99Ms: 0,
  loopLagP99Ms: 0,
  loopUtilization: 0,
  cpu: 0,
  rssBytes: 0,
  moves: { pending: 0, done: 0, failed: 0 },
};
const session = { session: 's', node: 'e1', since: 1, unacked: 0, isBare: false };
const reply = { ask: 'q', node: 'e1', boot: 'b', sessions: [session] };
const isTaken = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;
const long = 'x'.repeat(3_000);

describe('what the mesh says to itself', () => {
  it('may have fields that this version does not know', () => {
    for (const command of [{ ...reconnect, ring }, takeover])
      expect(isTaken(edgeCommand, { ...command, later: 1 })).toBe(true);
    expect(isTaken(nodeStats, { ...stats, later: 1 })).toBe(true);
    expect(isTaken(edgeReply, { ...reply, later: 1 })).toBe(true);
  });

  it('asks for no ring that an edge would be long to build', () => {
    const withRing = (points: number, weight = 1, nodes = 1) =>
      isTaken(edgeCommand, {
        ...reconnect,
        ring: { points, nodes: Array.from({ length: nodes }, (_, n) => ({ node: `e${n}`, weight })) },
      });
    expect(withRing(1_024, 100)).toBe(true);
    expect(withRing(160, 0.01, 5_000)).toBe(true);
    for (const points of [0, 1.5, 1_025, 3_000_000]) expect(withRing(points)).toBe(false);
    for (const weight of [0, 0.001, -1, 101, 16_000, Number.POSITIVE_INFINITY, Number.NaN])
      expect(withRing(160, weight)).toBe(false);
    expect(withRing(160, 1, 5_001)).toBe(false);
  });

  it.each([
    ['a weight of 16,000', { weight: 16_000 }],
    ['no weight', { weight: 0 }],
    ['a rate that is no number', { deliveredPerSecond: Number.NaN }],
    ['an endless rate', { cpu: Number.POSITIVE_INFINITY }],
    ['a long address', { url: `wss://${long}` }],
    ['a long version', { version: long }],
    ['a long boot', { boot: long }],
    ['an impossible capacity', { capacity: 10_000_000 }],
    ['half a session', { sessions: 0.5 }],
  ])('counts no statistics with %s', (_what, field) => {
    expect(isTaken(nodeStats, stats)).toBe(true);
    expect(isTaken(nodeStats, { ...stats, ...field })).toBe(false);
  });

  it.each([
    ['a long move', { ...reconnect, move: long }],
    ['a long address', { ...reconnect, to: { node: 'e2', url: `wss://${long}` } }],
    ['10,001 sessions', { ...reconnect, sessions: Array.from({ length: 10_001 }, () => 'u.s') }],
    ['a long session', { ...reconnect, sessions: [long] }],
    ['a count beyond any edge', { ...reconnect, count: 2_000_000 }],
    ['a long takeover', { ...takeover, takeover: long }],
    ['a long boot', { ...takeover, boot: long }],
    ['a long asker', { command: 'where', uid: 'u', reply: long, ask: 'q' }],
    ['a long question', { command: 'where', uid: 'u', reply: 'b1', ask: long }],
  ])('carries out no command with %s', (_what, command) => {
    expect(isTaken(edgeCommand, command)).toBe(false);
  });

  it('reads no answer of over 10,000 sessions', () => {
    const answer = (count: number) => ({ ...reply, sessions: Array.from({ length: count }, () => session) });
    expect(isTaken(edgeReply, answer(10_000))).toBe(true);
    expect(isTaken(edgeReply, answer(10_001))).toBe(false);
  });

  it('takes no info that is nested so deep that it cannot be written', () => {
    const frame = (levels: number): unknown =>
      JSON.parse(`{"t":"hello","info":${'['.repeat(levels)}${']'.repeat(levels)}}`);
    expect(isTaken(clientFrame, frame(500))).toBe(true);
    expect(isTaken(clientFrame, frame(9_000))).toBe(false);
  });
});
