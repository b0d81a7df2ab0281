import { asking } from './asking.js';
import { exchanges, queues } from './names.js';

/** One exchange that every part of the mesh declares alike. */
export interface MeshExchange {
  name: string;
  type: 'topic' | 'fanout' | 'direct';
  durable: boolean;
  alternateExchange?: string;
}

/** One queue that the parts of the mesh share. */
export interface MeshQueue {
  name: string;
  durable: boolean;
  arguments: Record<string, string | number | boolean>;
}

/**
 * The exchanges of the mesh, as data. Every process that publishes or binds declares exactly these: RabbitMQ
 * refuses (406) a second declaration with other arguments. `mesh.unrouted` comes before `mesh.events`, whose
 * alternate exchange it is. And the queues that are shared: what RabbitMQ drops and what is asked about
 * presence, which all edges consume together, and the stream of denials, which everybody reads whole.
 */
export const meshTopology: {
  exchanges: MeshExchange[];
  queues: MeshQueue[];
  bindings: { queue: string; exchange: string; key: string }[];
} = {
  exchanges: [
    { name: exchanges.unrouted, type: 'fanout', durable: true },
    { name: exchanges.events, type: 'topic', durable: true, alternateExchange: exchanges.unrouted },
    { name: exchanges.inbound, type: 'topic', durable: true },
    { name: exchanges.replies, type: 'direct', durable: true },
    { name: exchanges.cancel, type: 'topic', durable: true },
    { name: exchanges.dropped, type: 'fanout', durable: true },
    { name: exchanges.undelivered, type: 'topic', durable: true },
    { name: exchanges.sessions, type: 'topic', durable: true },
    { name: exchanges.stats, type: 'topic', durable: true },
    { name: exchanges.control, type: 'topic', durable: true },
    { name: exchanges.presence, type: 'topic', durable: true },
    { name: exchanges.topics, type: 'topic', durable: true },
    { name: exchanges.ask, type: 'topic', durable: true },
    { name: exchanges.manage, type: 'topic', durable: true },
    { name: exchanges.audit, type: 'topic', durable: true },
  ],
  queues: [
    {
      name: queues.dropped,
      durable: true,
      arguments: {
        'x-queue-type': 'classic',
        'x-max-length': 100_000,
        'x-max-length-bytes': 268_435_456,
        'x-overflow': 'drop-head',
      },
    },
    {
      name: queues.asked,
      durable: true,
      arguments: {
        'x-queue-type': 'classic',
        'x-max-length': 10_000,
        'x-overflow': 'drop-head',
        'x-message-ttl': 5_000,
      },
    },
    {
      name: queues.topics,
      durable: true,
      arguments: {
        'x-queue-type': 'classic',
        'x-max-length': 100_000,
        'x-overflow': 'reject-publish',
        // What one service orders is done in its order.
        'x-single-active-consumer': true,
      },
    },
    {
      name: queues.ask,
      durable: true,
      arguments: {
        'x-queue-type': 'classic',
        'x-max-length': 10_000,
        'x-overflow': 'reject-publish',
        // Nobody waits longer for an answer.
        'x-message-ttl': asking.maxTimeoutMs,
        // Who has passed a question on knows how many of a user's are open.
        'x-single-active-consumer': true,
      },
    },
    {
      name: queues.denials,
      durable: true,
      arguments: {
        'x-queue-type': 'stream',
        // As long as the longest denial. RabbitMQ drops whole segments, so small ones keep little beyond it.
        'x-max-age': '30D',
        'x-stream-max-segment-size-bytes': 65_536,
      },
    },
  ],
  bindings: [
    { queue: queues.dropped, exchange: exchanges.dropped, key: '' },
    { queue: queues.asked, exchange: exchanges.presence, key: 'ask.#' },
    { queue: queues.topics, exchange: exchanges.topics, key: 'join.#' },
    { queue: queues.topics, exchange: exchanges.topics, key: 'leave.#' },
    { queue: queues.ask, exchange: exchanges.ask, key: '#' },
  ],
};

/**
 * In a cluster of brokers: a queue with these is kept on several nodes and outlives the loss of one. Such a queue counts how often a
 * message was given back, and by default RabbitMQ 4 drops it then.
 */
export const replicatedQueue = { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 } as const;

/** {@link meshTopology} as it is declared where the broker is a cluster. A stream has its replicas anyway. */
export const clusterTopology: typeof meshTopology = {
  ...meshTopology,
  queues: meshTopology.queues.map((queue) =>
    queue.arguments['x-queue-type'] === 'classic'
      ? { ...queue, arguments: { ...queue.arguments, ...replicatedQueue } }
      : queue,
  ),
};
