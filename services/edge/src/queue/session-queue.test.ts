import {
  BrokerError,
  type BrokerErrorCode,
  type ConsumeOptions,
  type PublishOutcome,
} from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Planting } from './planting.js';
import { SessionQueues } from './session-queue.js';

const failure = (code: BrokerErrorCode) => new BrokerError(code, 'as the broker says');

/** A queue whose broker answers one publish after the other as given. */
function made(...answers: (PublishOutcome | BrokerError)[]) {
  const calls: string[] = [];
  const askable: { wait: Promise<void> | undefined } = { wait: undefined };
  const broker = { isThere: true, isBindable: true };
  let prepare: ConsumeOptions['prepare'];
  const queues = new SessionQueues({
    topology: {
      declareQueue: async () => {
        calls.push('declare');
        return { asIs: true };
      },
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
    generations: {
      isCluster: false,
      find: async () => {
        const counts = broker.isThere ? { messages: 0, consumers: 0 } : undefined;
        return { generation: 0, counts, isLost: false, older: [] };
      },
    },
    consumers: {
      consume: async (_queue: string, options: ConsumeOptions) => {
        calls.push('consume');
        prepare = options.prepare;
      },
    },
    whenAskable: () => askable.wait,
    whenHeard: async () => {},
    bindings: () => ({
      whenBindable: async () => {
        if (!broker.isBindable) throw failure('no-exchange');
      },
      bindOwed: async (_who: object, doBind: () => Promise<boolean>) =>
        void calls.push(`bound again: ${await doBind()}`),
    }),
    brokerNow: () => undefined,
    planting: new Planting({ written: () => 0, topicFrames: () => 0, now: () => 0 }),
  } as unknown as ConstructorParameters<typeof SessionQueues>[0]);
  return { calls, askable, broker, queue: queues.of('alice', 's'), recover: async () => await prepare?.() };
}
const [bind, publish] = ['bind mesh.replies', 'publish mesh.replies'];

it('is consumed, for the first time or again, once others can ask this edge for it', async () => {
  const { calls, askable, queue, recover } = made();
  const listener = {
    onDelivery() {},
    onLost() {},
    onFound: async () => void calls.push('found'),
    onRestored() {},
  };
  let [first, second] = [() => {}, () => {}];
  askable.wait = new Promise((resolve) => {
    first = resolve;
  });
  const consuming = queue.consume(listener);
  await Promise.resolve();
  expect(calls).toEqual([]);
  first();
  await consuming;
  expect(calls).toEqual(['consume']);
  askable.wait = new Promise((resolve) => {
    second = resolve;
  });
  const recovering = recover();
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toEqual(['consume']);
  second();
  await recovering;
  expect(calls).toContain('found');
});

describe('a queue that is consumed again', () => {
  const ignore = { onDelivery() {}, onLost() {}, onFound: async () => {}, onRestored() {} };
  const bindEvents = 'bind mesh.events';

  it('is bound between marks where it was there, and without where it had gone', async () => {
    const { calls, broker, queue, recover } = made();
    await queue.consume(ignore);
    calls.splice(0);
    await recover();
    const marked = [bind, publish, bindEvents, publish];
    expect(calls).toEqual(['declare', bind, ...marked, 'bound again: true', bindEvents, 'declare']);
    calls.splice(0);
    broker.isThere = false;
    await recover();
    expect(calls).toEqual(['declare', bind, bindEvents, 'bound again: false', bindEvents, 'declare']);
  });

  it('is not made while it cannot be bound: the next try would take it for one that was there', async () => {
    const { calls, broker, queue, recover } = made();
    await queue.consume(ignore);
    calls.splice(0);
    broker.isThere = false;
    broker.isBindable = false;
    await expect(recover()).rejects.toMatchObject({ code: 'no-exchange' });
    expect(calls).toEqual([]);
  });
});

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
