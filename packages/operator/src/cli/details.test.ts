import { describe, expect, it } from 'vitest';
import { node, statusOf } from '../../testing/nodes.js';
import { printed } from '../../testing/printed.js';

const at = Date.UTC(2026, 0, 1, 10, 2, 3);
const secondsAgo = (s: number) => Date.now() - s * 1_000;

/** Figures of a connection to RabbitMQ. */
const calm = {
  isConnected: true,
  isBlocked: false,
  reconnects: 0,
  channels: 3,
  unconfirmed: 0,
  waiting: 0,
  operationsWaiting: 0,
  consumers: 5,
  recovering: 0,
};

describe('node', () => {
  const answer = {
    ok: true,
    isAnswered: true,
    node: node('e1', {
      sessions: 12,
      live: { weight: 2 },
      drain: { state: 'stayed', why: '2 pinned by the front' },
    }),
    limits: { maxFrameBytes: 65_536 },
    closes: { 4000: 3, 1006: 7 },
    gaps: { overflow: 1 },
    amqp: { consuming: { ...calm, isBlocked: true, recovering: 2 } },
    held: [{ session: 's1', user: 'john.doe', node: 'e1' }],
  };

  it('shows what the node is, its limits, counts by reason with the most frequent first, and who is on it', async () => {
    const text = await printed({ node: async () => answer }, ['node', 'e1']);
    expect(text).toMatch(/capacity +100, 12 % used/);
    expect(text).toMatch(/set live +weight 2/);
    expect(text).toMatch(/drain +stayed: 2 pinned by the front/);
    expect(text).toMatch(/maxFrameBytes +65,536/);
    expect(text).toMatch(/closes by code\n {2}1006 +7\n {2}4000 +3/);
    expect(text).toMatch(
      /RabbitMQ\n {2}consuming +connected, blocked by an alarm, 2 consumers to be made again, 3 channels/,
    );
    expect(text).toMatch(/gaps by reason\n {2}overflow +1/);
    expect(text).toMatch(/sessions\n {2}~[\w-]+\.s1\n {2}and 11 more/);
    expect(JSON.parse(await printed({ node: async () => answer }, ['node', 'e1', '--json']))).toEqual(answer);
  });

  it('says that an edge has not answered', async () => {
    const silent = { ok: true, isAnswered: false, node: node('e1', { state: 'suspect' }) };
    expect(await printed({ node: async () => silent }, ['node', 'e1'])).toContain('It has not answered');
  });
});

it('session shows where it is, how far behind, its moves and what has happened to it', async () => {
  const answer = {
    ok: true,
    session: 's1',
    user: 'alice',
    node: 'e2',
    isAttached: false,
    since: secondsAgo(65),
    queued: 7,
    unacked: 1,
    moves: [{ at, from: 'e1', to: 'e2', outcome: 'done' }],
    history: [{ at, kind: 'detached', node: 'e2', code: 1006, reason: 'lost' }],
  };
  const text = await printed({ session: async () => answer }, ['session', 'alice.s1']);
  expect(text).toMatch(/^session +alice\.s1$/m);
  expect(text).toMatch(/state +away: it has no connection, for 1 min \d+ s/);
  expect(text).toMatch(/queued +7 events/);
  expect(text).toMatch(/unacked +1 event$/m);
  expect(text).toMatch(/2026-01-01 10:02:03 +e1 +e2 +done/);
  expect(text).toMatch(/2026-01-01 10:02:03 +detached +e2 +1006 lost/);
});

it('where shows sessions without a connection too, what waits for them, and edges that were silent', async () => {
  const sessions = [
    { session: 's1', node: 'e1', since: secondsAgo(9), unacked: 1, queued: 0, lastAckAt: secondsAgo(3) },
    { session: 's2', node: 'e2', since: secondsAgo(60), isAttached: false, queued: 1_200 },
  ];
  const where = async () => ({ ok: true, sessions, missing: ['e3'] });
  const text = await printed({ where }, ['where', 'alice']);
  expect(text).toMatch(/s1 +e1 +attached +\d+ s +0 +1 +\d s ago/);
  expect(text).toMatch(/s2 +e2 +away +1 min \d s +1,200 +– +–/);
  expect(text).toContain('No answer from e3.');
});

it('history lists plans that have ended: when, by whom, what came of them, and asks for as many as it is told', async () => {
  const asked: unknown[] = [];
  const history = async (args: object) => {
    asked.push(args);
    const plan = { id: 'p7', kind: 'drain', by: 'ann', state: 'partial', total: 16, done: 10, failed: 6 };
    return { ok: true, plans: [{ ...plan, startedAt: at, endedAt: at + 9_000, outcome: '6 did not move' }] };
  };
  const text = await printed({ history }, ['history', '--limit', '5', '--before', 'p8']);
  expect(asked).toEqual([{ limit: 5, before: 'p8' }]);
  expect(text).toMatch(/2026-01-01 10:02:03 +9 s +p7 +drain +ann +partial +10 of 16 +6 +6 did not move/);
  expect(await printed({ history: async () => ({ ok: true, plans: [] }) }, ['history'])).toContain(
    'No plan has ended',
  );
});

describe('disconnect', () => {
  const session = 'A'.repeat(22);
  it('closes the sessions of a user, or one session, and fails where there is none', async () => {
    const asked: unknown[] = [];
    const disconnect = async (subject: unknown) => {
      asked.push(subject);
      return { ok: true, sessions: subject === 'nobody' ? [] : [{ session, node: 'e1' }] };
    };
    expect(await printed({ disconnect }, ['disconnect', 'alice'])).toBe('alice: 1 session disconnected\n');
    await printed({ disconnect }, ['disconnect', session, '--session']);
    expect(asked).toEqual(['alice', { session }]);
    await expect(printed({ disconnect }, ['disconnect', 'nobody'])).rejects.toMatchObject({
      code: 'no-session',
    });
  });
});

it('plan names what has no room, and on which nodes that is', async () => {
  const plan = {
    moves: [],
    total: 0,
    unplaced: 12,
    unplacedByNode: { e1: 8, e2: 4 },
    why: 'nothing to move',
  };
  const text = await printed({ plan: async () => ({ ok: true, plan }), status: async () => statusOf([]) }, [
    'plan',
    'e1',
    'e2',
  ]);
  expect(text).toContain('no room: 12 more would have to go (8 of e1, 4 of e2)');
});
