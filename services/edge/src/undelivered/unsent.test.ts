import type { Delivery } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Deliveries } from '../../testing/deliveries.js';
import { Unsent } from './unsent.js';

const owner = { uid: 'alice', sid: 's' };
const turn = () => new Promise(setImmediate);

function make() {
  const queue = new Deliveries();
  const published: [string, string][] = [];
  const answers: ((error?: Error) => void)[] = [];
  const unsent = new Unsent({
    publish: (delivery, why, { sid }) => {
      published.push([why, `${sid} ${delivery.body.length}`]);
      return new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve())));
    },
  });
  const take = (n: number, bytes: number) => {
    const delivery: Delivery = queue.event(n, { body: Buffer.alloc(bytes) });
    unsent.take(delivery, owner, 'too-large');
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
