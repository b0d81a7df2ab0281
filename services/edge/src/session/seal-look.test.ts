import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codes, pending, SessionWorld, settled } from '../../testing/session-world.js';

let world: SessionWorld;

it('a client that falls behind does not wait for the turn of its seal: behind a full window it would not come', async () => {
  world = new SessionWorld();
  // It has to wait for its turn.
  world.queue.planting = new Promise(() => {});
  await world.attach({}, { isNew: true });
  world.deliver(2);
  expect(world.queue.hurried).toBe(0);
  world.deliver(1);
  expect(world.queue.hurried).toBe(1);
  world.deliver(1);
  expect(world.queue.hurried).toBe(1);
});

describe('a session that another edge has come for at the very same time, and is served', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    world = new SessionWorld();
    world.queue.isSealed = false;
    world.queue.counts = { messages: 3, consumers: 0 };
    world.handover.onSearch = () => world.calls.push(world.queue.listener ? 'consumes' : 'does not consume');
  });
  afterEach(() => vi.useRealTimers());

  async function second() {
    const { connection } = await world.attach({ resume: true });
    world.queue.counts = { messages: 3, consumers: 2 };
    world.queue.isSealed = true;
    await vi.advanceTimersByTimeAsync(100);
    await settled();
    return connection;
  }

  it('does not wait for its turn, which would come out of turn: it consumes once the other has let it go', async () => {
    world.handover.searched = { outcome: 'released', seal: { name: 'old', behind: 0 } };
    const connection = await second();
    expect(world.calls.slice(-5)).toEqual(['barrier', 'cancel', 'search', 'does not consume', 'consume']);
    world.deliver(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.kinds).toEqual(['welcome', 'event', 'event']);
  });

  it.each([
    ['unknown', codes.takeoverFailed],
    ['refused', codes.superseded],
  ] as const)('is closed where the other says that it is %s', async (outcome, code) => {
    world.handover.searched = { outcome };
    const connection = await second();
    expect(world.calls).toContain('does not consume');
    expect(connection.closedWith?.code).toBe(code);
    expect(connection.of('gap')).toEqual([]);
  });

  it('does not consume on where it is left in the moment that it consumes again', async () => {
    world.handover.searched = { outcome: 'released', seal: { name: 'old', behind: 0 } };
    world.handover.onSearch = () => {
      world.queue.consuming = pending();
    };
    const connection = await second();
    expect(world.calls.at(-1)).toBe('consume');
    connection.lose();
    await settled();
    world.queue.consuming?.resolve();
    await settled();
    expect(world.calls.at(-1)).toBe('cancel');
    expect(world.queue.listener).toBeUndefined();
  });
});
