import { BrokerError, type BrokerErrorCode, type PublishOutcome } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Planting } from './planting.js';
import { SessionQueues } from './session-queue.js';

const failure = (code: BrokerErrorCode) => new BrokerError(code, 'as the broker says');

/** A queue whose broker answers one publish after the other as given. */
function made(...answers: (PublishOutcome | BrokerError)[]) {
  const calls: string[] = [];
  const queues = new SessionQueues({
    topology: {
      declareQueue: async () => ({ asIs: true }),
      bind: async (_queue: string, exchange: string) => void calls.push(`bind ${exchange}`),
      unbind: async () => {},
    },
    publisher: {
      publish: async (exchange: string) => {
        calls.push(`publish ${exchange}`);
        const answer = answers.shift();
        if (answer instanceof BrokerError) throw answer;
        return answer ?? 'routed';
      },
    },
    generations: { isCluster: false },
    planting: new Planting({ written: () => 0, topicFrames: () => 0, now: () => 0 }),
  } as unknown as ConstructorParameters<typeof SessionQueues>[0]);
  return { calls, queue: queues.of('alice', 's') };
}
const [bind, publish] = ['bind mesh.replies', 'publish mesh.replies'];

describe('the seal of a queue', () => {
  it('is published again where the broker has not answered, three times at most', async () => {
    const late = made(failure('broker-unavailable'), failure('publish-timeout'), 'routed');
    expect(await late.queue.plant('name', true)).toBe(true);
    expect(late.calls).toEqual([bind, publish, publish, publish]);
    const never = made(...Array.from({ length: 4 }, () => failure('publish-timeout')));
    expect(await never.queue.plant('name', true)).toBe(false);
    expect(never.calls).toEqual([bind, publish, publish, publish]);
  });

  it('is not where the queue or its binding has gone, or the broker refuses it; the next one is bound for again', async () => {
    const { calls, queue } = made('unrouted', failure('publish-nacked'));
    expect(await queue.plant('name', true)).toBe(false);
    expect(await queue.plant('name', false)).toBe(false);
    expect(calls).toEqual([bind, publish, bind, publish]);
  });
});
