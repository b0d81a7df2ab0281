import type { Delivery } from '@evenkeel/broker';
import { exchanges } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ChecksOptions, HistoryChecks } from './checks.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type QueueOptions = Parameters<ChecksOptions['mesh']['ownQueue']>[0];

function world(namespaces: readonly string[] = ['room']) {
  let onOpen: (detail: string) => void = () => {};
  const queues: { readonly options: QueueOptions; isStopped: boolean }[] = [];
  const consuming = {
    mayMissStreams: false,
    on: (_event: string, fn: (detail: string) => void) => {
      onOpen = fn;
      return () => {};
    },
  };
  const ownQueue = (options: QueueOptions) => {
    const queue = { options, isStopped: false };
    queues.push(queue);
    return {
      start: async () => {},
      stop: async () => {
        queue.isStopped = true;
      },
    };
  };
  let marks = 0;
  const stream = {
    writeProbe: async (messageId: string) =>
      checks.onRecord('room', { properties: { messageId, headers: {} } } as never, false),
    markLoss: async () => {
      marks += 1;
      checks.onBreak('room');
    },
  };
  const checks: HistoryChecks = new HistoryChecks({
    mesh: { ownQueue, consuming } as unknown as ChecksOptions['mesh'],
    node: 'e',
    streams: new Map(namespaces.map((namespace) => [namespace, stream])),
    now: () => Date.now(),
    log: { warn: () => {} },
  });
  return {
    checks,
    queues,
    marks: () => marks,
    connected: (mayMissStreams: boolean) => {
      consuming.mayMissStreams = mayMissStreams;
      onOpen('');
    },
    routed: (exchange: string, key: string) =>
      queues.at(-1)?.options.onDelivery?.({
        exchange,
        key,
        body: Buffer.from('1'),
        properties: { headers: {} },
        ack: () => {},
      } as unknown as Delivery),
  };
}

it('compares nothing where RabbitMQ writes what it confirms, nor without a history', () => {
  const newer = world();
  newer.checks.start();
  newer.connected(false);
  const bare = world([]);
  bare.checks.start();
  bare.connected(true);
  expect([newer.queues, bare.queues]).toEqual([[], []]);
});

it('begins with the first connection to an old one, and ends with the next to a new one', () => {
  const { checks, queues, connected } = world();
  checks.start();
  connected(true);
  connected(true);
  expect(queues.map(({ options: { name, bindings } }) => [name, bindings])).toEqual([
    ['edge.e.check', [{ exchange: exchanges.events, key: 'topic.room.#' }]],
  ]);
  connected(false);
  expect(queues.map(({ isStopped }) => isStopped)).toEqual([true]);
  connected(true);
  expect(queues.length).toBe(2);
});

it('owes the history what came by mesh.events of its namespace, and nothing else', async () => {
  const { checks, connected, routed, marks } = world();
  checks.start();
  connected(true);
  routed('service.shop.own', 'topic.room.1');
  routed(exchanges.events, 'topic.other.1');
  routed(exchanges.events, 'user.ann.made');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(marks()).toBe(0);
  routed(exchanges.events, 'topic.room.1');
  await vi.advanceTimersByTimeAsync(20_000);
  expect([marks(), checks.missing]).toEqual([1, 1]);
  await checks.stop();
});
