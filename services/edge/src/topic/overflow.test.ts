import { describe, expect, it } from 'vitest';
import { Overflow } from './overflow.js';

/** A queue of 100, with up to 10 under way; its length is what the test says. */
function make() {
  const queue = { length: 0 as number | undefined, looks: 0, told: 0 };
  const overflow = new Overflow({
    length: async () => {
      queue.looks += 1;
      return queue.length;
    },
    maxLength: 100,
    prefetch: 10,
    onOverflow: () => {
      queue.told += 1;
    },
  });
  const deliver = (count: number) => {
    for (let n = 0; n < count; n++) overflow.delivered();
  };
  return { overflow, queue, deliver };
}

describe('an overflow of the topic queue', () => {
  it('is told when the queue is full', async () => {
    const { overflow, queue } = make();
    queue.length = 100;
    await overflow.look();
    expect(queue.told).toBe(1);
  });

  it('is told when the queue was full and has been emptied between two looks', async () => {
    const { overflow, queue, deliver } = make();
    await overflow.look();
    deliver(50);
    queue.length = 40;
    await overflow.look();
    expect(queue.told).toBe(1);
  });

  it('is not told of a queue that is busy and short', async () => {
    const { overflow, queue, deliver } = make();
    queue.length = 5;
    for (let n = 0; n < 100; n++) {
      deliver(30);
      await overflow.look();
    }
    expect(queue.told).toBe(0);
  });

  it('is looked for early when much comes, so that a busy queue is not taken for a full one', async () => {
    const { queue, deliver } = make();
    for (let n = 0; n < 100; n++) {
      deliver(51);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(queue.looks).toBeGreaterThan(90);
    expect(queue.told).toBe(0);
  });

  it('has been told before a marker counts behind which the queue may have filled', async () => {
    const { overflow, queue } = make();
    expect(overflow.settle(0.1)).toBe(true);
    queue.length = 100;
    expect(await overflow.settle(10)).toBe(true);
    expect(queue.told).toBe(1);
  });

  it('cannot be excluded while nobody answers', async () => {
    const { overflow, queue } = make();
    queue.length = undefined;
    expect(await overflow.settle(10)).toBe(false);
  });

  it('is judged by a look that began after the question', async () => {
    const { overflow, queue } = make();
    const before = overflow.look();
    queue.length = 100;
    const after = overflow.look();
    await before;
    expect(await after).toBe(true);
    expect(queue.looks).toBe(2);
    expect(queue.told).toBe(1);
  });

  it('of an earlier queue says nothing of a new one', async () => {
    const { overflow, queue, deliver } = make();
    deliver(49);
    overflow.reset();
    deliver(49);
    await overflow.look();
    expect(queue.told).toBe(0);
  });
});
