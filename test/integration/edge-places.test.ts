import { exchanges } from '@evenkeel/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let neighbour: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [edge, neighbour] = await Promise.all([mesh.edge('e1'), mesh.edge('e2')]);
});
afterAll(() => mesh.close());

describe('coming back after a lost socket', () => {
  it.each([
    ['the same edge', () => edge],
    ['another edge', () => neighbour],
  ])(
    'says on %s which were written to the socket that was lost, long after the session was let go',
    async (where, next) => {
      const session = new SessionUnderTest(`places-${where.length}`);
      const first = await session.attach(edge, {}, {}, { acks: false });
      await mesh.numbers(session, 1, 5);
      await first.eventCount(5);
      const connection = first.frames[0]?.connection;
      first.ack(2);
      await first.pinged();
      first.terminate();
      await mesh.settled(session, { consumers: 0, messages: 4 });
      await mesh.numbers(session, 6, 6);
      const second = await session.attach(
        next(),
        { resume: true, last: { connection, seq: 4 } },
        { from: 'e1' },
      );
      await second.eventCount(4);
      expect(second.events.map(({ data, again }) => [data, again])).toEqual([
        [3, 3],
        [4, 4],
        [5, 5],
        [6, undefined],
      ]);
      await second.close();
    },
  );

  it('says it once: what another edge has settled meanwhile is not counted', async () => {
    const session = new SessionUnderTest('places-once');
    const first = await session.attach(edge, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    const connection = first.frames[0]?.connection;
    first.terminate();
    await mesh.settled(session, { consumers: 0, messages: 4 });
    const hello = { resume: true, last: { connection, seq: 3 } };
    const between = await session.attach(neighbour, hello, { from: 'e1' });
    await between.eventCount(3);
    expect(between.events.map(({ again }) => again)).toEqual([1, 2, 3]);
    await between.close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 4, 6);
    // It says that nothing has come to it there.
    const back = await session.attach(edge, hello, { from: 'e1' });
    await back.eventCount(3);
    expect(back.events.map(({ data, again }) => [data, again])).toEqual([
      [4, undefined],
      [5, undefined],
      [6, undefined],
    ]);
    await back.close();
  });

  it('says nothing of it to who names another socket, or where what was written may be over', async () => {
    const session = new SessionUnderTest('no-places');
    const first = await session.attach(edge, {}, {}, { acks: false });
    await mesh.event(session, 1);
    await first.eventCount(1);
    const connection = first.frames[0]?.connection;
    first.terminate();
    await mesh.settled(session, { consumers: 0, messages: 2 });
    const second = await session.attach(
      edge,
      { resume: true, last: { connection: `${connection}0`, seq: 1 } },
      {},
      { acks: false },
    );
    await mesh.publisher.publish(exchanges.events, `user.${session.uid}.n`, '2', {
      contentType: 'application/json',
      expiration: 60_000,
    });
    await second.eventCount(2);
    const another = second.frames[0]?.connection;
    second.terminate();
    await mesh.settled(session, { consumers: 0, messages: 3 });
    const third = await session.attach(edge, { resume: true, last: { connection: another, seq: 2 } });
    await third.eventCount(2);
    for (const client of [second, third]) {
      expect(client.events.map(({ again }) => again)).toEqual(client.events.map(() => undefined));
      expect(client.events[0]).toMatchObject({ redelivered: true });
    }
    await third.close();
  });
});
