import { beforeEach, describe, expect, it } from 'vitest';
import { Deliveries } from '../../testing/deliveries.js';
import { settled } from '../../testing/session-world.js';
import { LeftSeals } from './left-seals.js';
import { longestWaitMs, Planting } from './planting.js';

const alice = { uid: 'alice', sid: 's' };

describe('a seal that a moved session has left', () => {
  let nowMs = 0;
  let calls: string[] = [];
  let sent: unknown[] = [];
  const drops = { doubts: 0, fence: async () => true };

  beforeEach(() => {
    [nowMs, calls, sent] = [0, [], []];
    Object.assign(drops, { doubts: 0, fence: async () => true });
  });

  /** A crowd has moved away just before, unless it is said otherwise. */
  function left({ isCrowded = true, isVoid = false } = {}) {
    const planting = new Planting({ written: () => 0, topicFrames: () => 0, now: () => nowMs });
    if (isCrowded) for (let n = 0; n < 200; n += 1) planting.left();
    nowMs += 300;
    const seals = new LeftSeals({
      node: 'edge-1',
      outgoing: {
        publish: async (key, command) => {
          sent.push([key, command]);
          return 'routed';
        },
      },
      planting,
      drops,
    });
    const delivery = {
      ...new Deliveries().seal('one'),
      isVoid,
      ack: () => void calls.push('ack'),
      requeue: () => void calls.push('requeue'),
    };
    seals.leave(alice, 'one', delivery);
    return { seals, delivery };
  }

  it('is put back at once while few move', async () => {
    left({ isCrowded: false });
    await settled();
    expect(calls).toEqual(['requeue']);
  });

  it('is put back at once for whoever looks for it, which may wait until then', async () => {
    const { seals } = left();
    let isBack = false;
    void seals.back(alice)?.then(() => {
      isBack = true;
    });
    expect(calls).toEqual([]);
    await settled();
    expect([calls, isBack]).toEqual([['requeue'], true]);
    expect(seals.back(alice)).toBeUndefined();
  });

  it('waits while many move, and is there for its session should that be back, once', async () => {
    const { seals, delivery } = left();
    await settled();
    expect(calls).toEqual([]);
    expect(seals.takeBack(alice, 'another')).toBeUndefined();
    expect(seals.takeBack(alice, 'one')).toBe(delivery);
    expect(seals.takeBack(alice, 'one')).toBeUndefined();
    nowMs += longestWaitMs;
    await seals.stop();
    expect(calls).toEqual([]);
  });

  it('is the broker’s once its channel has gone', async () => {
    const { seals } = left({ isVoid: true });
    expect(seals.takeBack(alice, 'one')).toBeUndefined();
  });

  it('comes at once when the edge that waits for it says so, and when this edge stops', async () => {
    const { seals } = left();
    seals.hurry(alice);
    await settled();
    expect(calls).toEqual(['requeue']);
    seals.hurry(alice, 'edge-2');
    expect(sent).toEqual([['edge.edge-2', { command: 'give-seal', uid: 'alice', sid: 's', from: 'edge-1' }]]);
    const other = left();
    await other.seals.stop();
    expect(calls).toEqual(['requeue', 'requeue']);
  });

  it('takes the place of an earlier one, which goes for good', async () => {
    const { seals, delivery } = left();
    seals.leave(alice, 'two', { ...delivery, requeue: () => void calls.push('requeue two') });
    expect(calls).toEqual(['ack']);
    await seals.stop();
    expect(calls).toEqual(['ack', 'requeue two']);
  });

  it('goes for good when something was dropped from behind it, or may have been', async () => {
    const { seals } = left();
    seals.dropped('alice.s');
    expect(calls).toEqual(['ack']);
    calls.length = 0;
    // Nor is it spoilt by what a queue of before it drops.
    const { seals: later, delivery } = left();
    later.leave(alice, 'later', delivery, 1);
    calls.length = 0;
    later.dropped('alice.s', 0);
    expect(calls).toEqual([]);
    later.dropped('alice.s', 1);
    expect(calls).toEqual(['ack']);
    const unsure = left();
    drops.fence = async () => false;
    await unsure.seals.stop();
    expect(calls).toEqual(['ack', 'ack']);
    const doubted = left();
    Object.assign(drops, { doubts: 1, fence: async () => true });
    await doubted.seals.stop();
    expect(calls).toEqual(['ack', 'ack', 'ack']);
  });
});
