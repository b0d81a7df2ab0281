import { describe, expect, it } from 'vitest';
import { pending, settled } from '../../testing/session-world.js';
import { Acks } from './acks.js';

function make(counts: { messages: number; consumers: number } | Error) {
  const look = pending<void>();
  const acked: number[] = [];
  const outbox = {
    seq: 10,
    isFull: true,
    ack: (seq: number) => {
      if (seq > outbox.seq) return false;
      acked.push(seq);
      outbox.isFull = false;
      return true;
    },
  };
  const told: string[] = [];
  const world = { isToBeLookedAt: true, looks: 0 };
  const acks = new Acks({
    outbox,
    queue: {
      check: async () => {
        world.looks += 1;
        await look.promise;
        if (counts instanceof Error) throw counts;
        return counts;
      },
    },
    maxLength: 100,
    isToBeLookedAt: () => world.isToBeLookedAt,
    onOverflow: () => void told.push(`overflow before ${acked.length} acks`),
  });
  return { acks, outbox, acked, told, look, world };
}

describe('acks', () => {
  it('are passed on at once while the window has room', () => {
    const { acks, outbox, acked, world } = make({ messages: 100, consumers: 1 });
    outbox.isFull = false;
    expect(acks.take(3)).toBe(true);
    expect(acks.take(11)).toBe(false);
    expect(acked).toEqual([3]);
    expect(world.looks).toBe(0);
  });

  it('that make room in a full window wait for one look at the queue, and an overflow is told before them', async () => {
    const { acks, acked, told, look, world } = make({ messages: 100, consumers: 1 });
    for (const seq of [2, 5, 4]) expect(acks.take(seq)).toBe(true);
    expect(acks.take(11)).toBe(false);
    expect(acked).toEqual([]);
    look.resolve();
    await settled();
    expect(acked).toEqual([5]);
    expect(told).toEqual(['overflow before 0 acks']);
    expect(world.looks).toBe(1);
  });

  it('of a queue below its limit tell nothing', async () => {
    const { acks, acked, told, look } = make({ messages: 99, consumers: 1 });
    acks.take(1);
    look.resolve();
    await settled();
    expect({ acked, told }).toEqual({ acked: [1], told: [] });
  });

  it('are passed on where the queue cannot be looked at', async () => {
    const { acks, acked, told, look } = make(new Error('away'));
    acks.take(1);
    look.resolve();
    await settled();
    expect({ acked, told }).toEqual({ acked: [1], told: [] });
  });

  it('wait for nothing once the session is no longer consumed', () => {
    const { acks, acked, world } = make({ messages: 100, consumers: 1 });
    world.isToBeLookedAt = false;
    acks.take(7);
    expect(acked).toEqual([7]);
  });
});
