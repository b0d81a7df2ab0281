import { BrokerError } from '@evenkeel/broker';
import type { QueueConnection } from '@evenkeel/mesh';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { NodeName } from './node-name.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const locked = new BrokerError('queue-locked', 'another connection owns it');
const away = new BrokerError('broker-unavailable', 'no answer');

/** A broker that answers every declaration with `refusal`, or makes the queue where there is none. */
class Broker implements QueueConnection {
  readonly state = 'open';
  refusal: Error | undefined;
  isGone = false;
  declared = '';

  on = () => () => {};
  whenOpen = async () => {};
  redeclare = async () => {};
  consumers = () => ({ consume: () => Promise.reject(new Error('nothing comes to it')) });
  topology = () => ({
    declareQueue: async ({ name }: { name: string }) => {
      if (this.refusal !== undefined) throw this.refusal;
      this.declared = name;
      this.isGone = false;
      return { messages: 0, consumers: 0, asIs: false };
    },
    checkQueue: async () => (this.isGone ? undefined : { messages: 0, consumers: 0 }),
    deleteQueue: async () => {},
    bind: async () => {},
    unbind: async () => {},
  });
}

function world() {
  const broker = new Broker();
  const told: string[] = [];
  const name = new NodeName({
    config: { node: 'n1', nameWaitMs: 10_000 },
    consuming: broker,
    giveUp: ({ message }) => told.push(message),
    now: () => performance.now(),
    log: silent,
  });
  onTestFinished(() => name.stop());
  return { broker, name, told };
}

it('has the name of its node as soon as nobody else has it', async () => {
  const { broker, name, told } = world();
  broker.refusal = locked;
  let isUp = false;
  void name.start().then(
    () => {
      isUp = true;
    },
    () => {},
  );
  await vi.advanceTimersByTimeAsync(5_000);
  expect({ isUp, note: name.note() }).toEqual({
    isUp: false,
    note: expect.stringContaining('name of this edge'),
  });
  broker.refusal = undefined;
  await vi.advanceTimersByTimeAsync(2_000);
  expect({ isUp, note: name.note(), told }).toEqual({ isUp: true, note: undefined, told: [] });
  expect(broker.declared).toBe('edge.n1.name');
});

it('gives up when another has it for too long, and says what to do', async () => {
  const { broker, name, told } = world();
  broker.refusal = locked;
  // Ended by the end of the test.
  void name.start().catch(() => {});
  await vi.advanceTimersByTimeAsync(13_000);
  expect(told[0]).toMatch(/^Another edge is called n1 \(EVENKEEL_NODE\) .* within 10 s.*a name of its own/s);
});

it('does not count the time in which the broker says nothing of it', async () => {
  const { broker, name, told } = world();
  // Ended by the end of the test.
  void name.start().catch(() => {});
  for (const refusal of [locked, away, locked, away]) {
    broker.refusal = refusal;
    await vi.advanceTimersByTimeAsync(8_000);
  }
  expect(told).toEqual([]);
});

it('does not give up what it had, and says that it is kept for another', async () => {
  const { broker, name, told } = world();
  await name.start();
  broker.isGone = true;
  broker.refusal = locked;
  await vi.advanceTimersByTimeAsync(30_000);
  expect({ told, note: name.note() }).toEqual({
    told: [],
    note: expect.stringContaining('name of this edge'),
  });
  broker.refusal = undefined;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(name.note()).toBe(undefined);
});
