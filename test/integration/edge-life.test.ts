import { exchanges } from '@evenkeel/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';
import { MeshListener } from '../support/mesh-listener.js';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;
let undelivered: MeshListener;
let sessions: MeshListener;

/** Of a session without a connection. */
const lifetimeMs = 3_000;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = {
    SESSION_LIFETIME_MS: String(lifetimeMs),
    SESSION_MAX_LENGTH: '5',
    WINDOW: '4',
    MAX_EVENT_BYTES: '4096',
  };
  [a, b, undelivered, sessions] = await Promise.all([
    mesh.edge('life-a', env),
    mesh.edge('life-b', env),
    MeshListener.open(mesh.urlFor('app-shop'), exchanges.undelivered),
    MeshListener.open(mesh.urlFor('app-shop'), exchanges.sessions),
  ]);
  mesh.defer(() => Promise.all([undelivered.close(), sessions.close()]));
}, 60_000);
afterAll(() => mesh.close(), 30_000);

/** What has come to `mesh.undelivered` for this user. */
const lost = ({ uid }: SessionUnderTest) =>
  undelivered.deliveries
    .filter(({ key }) => key.startsWith(`user.${uid}.`))
    .map(({ key, body, properties }) => ({
      key,
      data: JSON.parse(body.toString()) as unknown,
      id: properties.messageId,
      why: properties.headers['evenkeel-why'],
      session: properties.headers['evenkeel-session'],
    }));
const waitForLost = async (session: SessionUnderTest, count: number) => {
  await expect.poll(() => lost(session).length, { timeout: 15_000 }).toBe(count);
  return lost(session);
};

describe('an event that a session does not get', () => {
  it('because its own time to live is over is on mesh.undelivered', async () => {
    const session = new SessionUnderTest('short lived');
    (await session.attach(a)).terminate();
    await sessions.happened(session, ['opened', 'detached']);
    await mesh.publisher.publish(exchanges.events, `user.${session.uid}.n`, '"brief"', {
      messageId: 'brief-1',
      headers: { 'x-shop': 'harbour' },
      expiration: 50,
    });
    expect(await waitForLost(session, 1)).toMatchObject([{ data: 'brief', id: 'brief-1', why: 'expired' }]);
    const found = undelivered.deliveries.find(({ properties }) => properties.messageId === 'brief-1');
    expect(found?.properties.headers).toMatchObject({ 'x-shop': 'harbour', 'evenkeel-user': 'short lived' });
    expect(found?.properties.headers).not.toHaveProperty('x-death');
  });

  it('because its queue is full is on mesh.undelivered, with key, body, id and whose it was', async () => {
    const session = new SessionUnderTest('overflow');
    const client = await session.attach(a, {}, {}, { acks: false });
    client.terminate();
    await sessions.happened(session, ['opened', 'detached']);
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) await mesh.event(session, n, { messageId: `overflow-${n}` });
    await expect.poll(() => lost(session).length).toBeGreaterThan(1);
    // Edges share the work: which of them is quicker is open.
    await expect
      .poll(() => lost(session))
      .toContainEqual({
        key: 'user.overflow.n',
        data: 1,
        id: 'overflow-1',
        why: 'overflow',
        session: session.sid,
      });
  });

  it('because its session ended while more came is there, whatever came while the queue was still bound', async () => {
    for (const user of ['flooded 1', 'flooded 2', 'flooded 3']) {
      const session = new SessionUnderTest(user);
      const client = await session.attach(a);
      let isOver = false;
      let sent = 0;
      const routed: string[] = [];
      const lanes = Array.from({ length: 16 }, async () => {
        while (!isOver) {
          const messageId = `${user} ${++sent}`;
          const properties = { messageId, mandatory: true, contentType: 'application/json' };
          const key = `user.${session.uid}.n`;
          const outcome = await mesh.publisher.publish(exchanges.events, key, `${sent}`, properties);
          if (outcome === 'routed') routed.push(messageId);
        }
      });
      await client.eventCount(50);
      client.send({ t: 'bye' });
      await sessions.happened(session, ['opened', 'ended bye']);
      isOver = true;
      await Promise.all(lanes);
      const missing = () => {
        const got = new Set([...client.events, ...lost(session)].map(({ id }) => id));
        return routed.filter((id) => !got.has(id));
      };
      await expect.poll(missing, { interval: 500, timeout: 15_000 }).toEqual([]);
      expect(await mesh.counts(session)).toBeUndefined();
    }
    expect(a.hasLogged('broker lost')).toBe(false);
  });

  it('because it is too large is there as it was published, and the client is told', async () => {
    const session = new SessionUnderTest('too large');
    const client = await session.attach(a);
    const large = 'x'.repeat(5_000);
    await mesh.event(session, large, { messageId: 'large-1' });
    await mesh.event(session, 'small');
    await client.frame('gap', ({ reason }) => reason === 'too-large');
    await client.eventCount(1);
    expect(await waitForLost(session, 1)).toMatchObject([{ data: large, id: 'large-1', why: 'too-large' }]);
    await client.close();
  });

  it('because its session ended at its lifetime is there too, and the queue is gone', async () => {
    const session = new SessionUnderTest('outlived');
    const client = await session.attach(a);
    client.terminate();
    await sessions.happened(session, ['opened', 'detached']);
    await mesh.event(session, 'late', { messageId: 'late-1' });
    expect(await waitForLost(session, 1)).toMatchObject([{ data: 'late', id: 'late-1', why: 'expired' }]);
    await sessions.happened(session, ['opened', 'detached', 'ended expired']);
    expect(await mesh.counts(session)).toBeUndefined();
  });
});

describe('bye', () => {
  it('ends the session at once: what is left is handed on, nobody is there for the next event, the queue is gone', async () => {
    const session = new SessionUnderTest('bye');
    const client = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await client.eventCount(4);
    client.ack(1);
    client.send({ t: 'bye' });
    expect(await client.closed).toEqual({ code: 1000, reason: 'ended' });
    const outcome = await mesh.publisher.publish(exchanges.events, `user.${session.uid}.n`, '1', {
      mandatory: true,
    });
    expect(outcome).toBe('unrouted');
    expect(await mesh.counts(session)).toBeUndefined();
    const left = await waitForLost(session, 4);
    expect(left.map(({ data, why }) => [data, why])).toEqual([2, 3, 4, 5].map((n) => [n, 'ended']));
    await sessions.happened(session, ['opened', 'ended bye']);
  });

  it('does not hinder the session from being opened anew', async () => {
    const session = new SessionUnderTest('again');
    const client = await session.attach(a);
    client.send({ t: 'bye' });
    await client.closed;
    const next = await session.attach(b, { resume: true }, { from: a.node });
    await next.frame('gap', ({ reason }) => reason === 'session-expired');
    await sessions.happened(session, ['opened', 'ended bye', 'opened']);
    await next.close();
  });
});

describe('the life of a session', () => {
  it('is told in order: opened, cut, resumed elsewhere, nothing for a move, ended at its lifetime', async () => {
    const session = new SessionUnderTest('whole life');
    const first = await session.attach(a);
    first.terminate();
    await sessions.happened(session, ['opened', 'detached']);
    const second = await session.attach(b, { resume: true }, { from: a.node });
    await sessions.happened(session, ['opened', 'detached', 'resumed']);
    const moved = await mesh.follow(session, second, b, a);
    await moved.frame('welcome');
    await second.close();
    await mesh.event(session, 'after the move');
    await moved.eventCount(1);
    expect(sessions.happenings(session)).toEqual(['opened', 'detached', 'resumed']);
    moved.terminate();
    const all = ['opened', 'detached', 'resumed', 'detached', 'ended expired'];
    await sessions.happened(session, all, lifetimeMs + 10_000);
    const { uid, sid } = session;
    const ours = sessions.bodies.filter(({ session: id }) => id === sid);
    expect(ours[0]).toEqual({ user: 'whole life', session: sid, node: 'life-a', at: expect.any(Number) });
    expect(sessions.deliveries.some(({ key }) => key === `${uid}.resumed`)).toBe(true);
  });

  it('goes on where it is resumed by a client that names nobody, and is not ended for the time before', async () => {
    const session = new SessionUnderTest('no from');
    (await session.attach(a)).terminate();
    await sessions.happened(session, ['opened', 'detached']);
    const client = await session.attach(b, { resume: true });
    await mesh.event(session, 'here');
    await client.eventCount(1);
    // The first edge looks when it believes the lifetime to be over.
    await expect.poll(() => sessions.happenings(session).length, { timeout: lifetimeMs }).toBe(3);
    const other = new SessionUnderTest('a later one');
    (await other.attach(a)).terminate();
    await sessions.happened(other, ['opened', 'detached', 'ended expired'], lifetimeMs + 10_000);
    expect(sessions.happenings(session)).toEqual(['opened', 'detached', 'resumed']);
    await client.close();
  });

  it('ends by an operator, whether it has a socket or not', async () => {
    const attached = new SessionUnderTest('to go');
    const away = new SessionUnderTest('to go');
    const client = await attached.attach(a);
    (await away.attach(b)).terminate();
    await sessions.happened(away, ['opened', 'detached']);
    const command = { command: 'disconnect', uid: attached.uid, reply: 'nobody', ask: 'q' } as const;
    for (const edge of [a, b]) await mesh.command(edge.node, command);
    expect(await client.closed).toMatchObject({ code: 4502 });
    await sessions.happened(attached, ['opened', 'ended disconnected']);
    await sessions.happened(away, ['opened', 'detached', 'ended disconnected']);
    expect(await mesh.counts(attached)).toBeUndefined();
    expect(await mesh.counts(away)).toBeUndefined();
  });
});
