import type { Delivery } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Deliveries, type DeliveryOver } from '../../testing/deliveries.js';
import type { Why } from './message.js';
import { Unsent } from './unsent.js';

const owner = { uid: 'alice', sid: 's' };
const turn = () => new Promise(setImmediate);

function make() {
  const queue = new Deliveries();
  const published: [string, string][] = [];
  const answers: ((error?: Error) => void)[] = [];
  const publish = (delivery: Pick<Delivery, 'body'>, why: Why, { sid }: typeof owner) => {
    published.push([why, `${sid} ${delivery.body.length}`]);
    return new Promise<void>((resolve, reject) =>
      answers.push((error) => (error ? reject(error) : resolve())),
    );
  };
  const unsent = new Unsent({ publish }, 1);
  const take = (n: number, bytes: number, why: Why = 'too-large', over: DeliveryOver = {}) => {
    const delivery: Delivery = queue.event(n, { body: Buffer.alloc(bytes), ...over });
    unsent.take(delivery, owner, why);
  };
  return { queue, published, answers, take };
}

describe('an event that is too large', () => {
  it('is settled once it is published', async () => {
    const { queue, published, answers, take } = make();
    take(1, 2_000_000);
    await turn();
    expect([published, queue.settled]).toEqual([[['too-large', 's 2000000']], []]);
    answers[0]?.();
    await turn();
    expect(queue.settled).toEqual(['ack 1']);
  });

  it('is dead-lettered where there is no room for it, no body, or no broker to take it', async () => {
    const { queue, answers, take } = make();
    take(1, 20_000_000);
    take(2, 2_000_000);
    take(3, 0);
    expect(queue.settled).toEqual(['drop 2', 'drop 3']);
    answers[0]?.(new Error('away'));
    await turn();
    take(4, 2_000_000);
    answers[1]?.();
    await turn();
    expect(queue.settled).toEqual(['drop 2', 'drop 3', 'drop 1', 'ack 4']);
  });
});

describe('an event that comes too late', () => {
  it('waits for room, and is never dead-lettered, which would be told as too large', async () => {
    const { queue, published, answers, take } = make();
    take(1, 10_000_000, 'expired');
    take(2, 10_000_000, 'expired');
    take(3, 1, 'expired');
    take(4, 0, 'expired');
    expect([published.length, queue.settled]).toEqual([1, []]);
    answers[0]?.();
    await turn();
    expect(published.map(([why]) => why)).toEqual(['expired', 'expired', 'expired', 'expired']);
    for (const answer of answers.splice(1)) answer();
    await turn();
    expect(queue.settled).toEqual(['ack 1', 'ack 2', 'ack 3', 'ack 4']);
  });

  it('is tried again where it cannot be published', async () => {
    const { queue, published, answers, take } = make();
    take(1, 10, 'expired');
    answers[0]?.(new Error('away'));
    await expect.poll(() => published.length).toBe(2);
    answers[1]?.();
    await turn();
    expect(queue.settled).toEqual(['ack 1']);
  });

  it('is left to its queue where that has it again', async () => {
    const { queue, published, answers, take } = make();
    take(1, 16_000_000, 'expired');
    take(2, 16_000_000, 'expired', { isVoid: true });
    answers[0]?.();
    await turn();
    expect([published.length, queue.settled]).toEqual([1, ['ack 1']]);
  });
});
