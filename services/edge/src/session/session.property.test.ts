import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../testing/runs.js';
import { SessionWorld, settled } from '../../testing/session-world.js';
import { ClientText } from '../frame/client-text.js';

/** What may happen to a session, in any order. */
const steps = [
  'hello',
  'deliver',
  'deliver to a slow connection',
  'ack all',
  'ack one',
  'subscribe',
  'publish',
  'nonsense',
  'drain',
  'channel lost',
  'queue restored',
  'queue gone',
  'queue shared',
  'newer connection',
  'move',
  'resume',
  'close',
  'wait',
  'sweep',
] as const;

it('settles every delivery once and leaves nothing behind, whatever happens in whatever order', async () => {
  const histories = fc.array(fc.constantFrom(...steps), { maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(histories, fc.boolean(), async (history, isFenced) => {
      const world = new SessionWorld({ settleTimeoutMs: 1, window: 8 });
      world.topics.isFenced = isFenced;
      const { connection, session } = world.open({ isNew: true });
      for (const step of history) {
        switch (step) {
          case 'hello':
            connection.receive({ t: 'hello', topics: ['a'] });
            break;
          case 'deliver':
          case 'deliver to a slow connection':
            connection.bufferedBytes = step === 'deliver' ? 0 : 1e9;
            if (session.outbox.unacked < 8) world.deliver(1);
            break;
          case 'ack all':
            connection.receive({ t: 'ack', seq: session.outbox.seq });
            break;
          case 'ack one':
            connection.receive({ t: 'ack', seq: Math.min(1, session.outbox.seq) });
            break;
          case 'subscribe':
            connection.receive({ t: 'subscribe', id: 1, topic: 'b' });
            break;
          case 'publish':
            connection.receive({ t: 'publish', id: 2, topic: 'b', data: 1 });
            break;
          case 'nonsense':
            connection.owner?.onFrame(new ClientText('nonsense'));
            break;
          case 'drain':
            connection.bufferedBytes = 0;
            connection.owner?.onDrain();
            break;
          case 'channel lost':
            world.lose();
            break;
          case 'queue restored':
            world.queue.listener?.onFound({ messages: 0, consumers: 0 }).catch(() => {});
            world.queue.listener?.onRestored();
            break;
          case 'queue gone':
            world.queue.listener?.onFound(undefined).catch(() => {});
            break;
          case 'queue shared':
            world.queue.listener?.onFound({ messages: 0, consumers: 1 }).catch(() => {});
            break;
          case 'newer connection':
            await world.attach({}, { epoch: 2 });
            break;
          case 'move':
          case 'resume':
            if (world.directory.get(session.key) === session) void session.release(step);
            break;
          case 'close':
            connection.lose();
            break;
          case 'wait':
            await settled();
            break;
          case 'sweep':
            world.nowMs += 20_000;
            session.sweep(world.nowMs);
            break;
        }
      }
      for (const each of world.connections) each.lose();
      const held = world.sessions.filter(({ state }) => state !== 'gone');
      await Promise.all(held.map((each) => each.release('resume')));
      await settled();
      expect(['gone', 'moved']).toContain(session.state);
      expect(world.directory.size).toBe(0);
      expect([...world.directory.tracked()]).toEqual([]);
      expect(world.topics.joined).toEqual([]);
      expect(world.queue.listener).toBeUndefined();
      const numbers = world.deliveries.settled.map((each) => Number(each.split(' ')[1]));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.length + world.forgotten).toBe(world.delivered);
    }),
    { numRuns: runs },
  );
});
