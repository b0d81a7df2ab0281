import { LogLimit } from '@evenkeel/pace';
import type { Channel, ChannelModel } from 'amqplib';
import { BrokerError, messageOf, REPLY, replyCodeOf } from './errors.js';
import { callPlainly } from './quick-calls.js';
import type { ExchangeSpec, Log, QueueCounts, QueueSpec, Topology } from './types.js';

/** The mesh is declared again every few seconds. */
const differEveryMs = 600_000;
const differLimits = new WeakMap<Log, Map<string, LogLimit>>();

function differLimitOf(log: Log, queue: string): LogLimit {
  const limits = differLimits.get(log) ?? new Map<string, LogLimit>();
  differLimits.set(log, limits);
  const limit = limits.get(queue) ?? new LogLimit(differEveryMs);
  limits.set(queue, limit);
  return limit;
}

/** Declares one queue on `channel`; always names the queue type, since its default differs by virtual host. */
export async function assertQueue(channel: Channel, q: QueueSpec): Promise<QueueCounts> {
  const ok = await channel.assertQueue(q.name, {
    durable: q.durable ?? true,
    exclusive: q.exclusive ?? false,
    autoDelete: q.autoDelete ?? false,
    arguments: { 'x-queue-type': 'classic', ...q.arguments },
  });
  return { messages: ok.messageCount, consumers: ok.consumerCount };
}

/** Opens a channel whose errors are left to the operations on it. */
export async function openChannel(model: ChannelModel): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  callPlainly(channel);
  return channel;
}

/**
 * Closes a channel; resolves once it is closed, by whatever. (amqplib's own promise stays open for ever where the connection is lost before
 * the broker's answer.)
 */
export function closeChannel(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    channel.once('close', resolve);
    channel.close().then(resolve, () => resolve());
  });
}

/** Declares one exchange on `channel`. */
export async function assertExchange(channel: Channel, x: ExchangeSpec): Promise<void> {
  await channel.assertExchange(x.name, x.type, {
    durable: x.durable ?? true,
    autoDelete: x.autoDelete ?? false,
    ...(x.alternateExchange === undefined ? {} : { alternateExchange: x.alternateExchange }),
    ...(x.arguments === undefined ? {} : { arguments: x.arguments }),
  });
}

/** @throws BrokerError `no-exchange`; a plain error when the connection was lost. */
async function expectExchanges(model: ChannelModel, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  let channel = await openChannel(model);
  for (const name of names) {
    try {
      await channel.checkExchange(name);
    } catch (cause) {
      const code = replyCodeOf(cause);
      if (code === REPLY.notFound) throw new BrokerError('no-exchange', `exchange ${name} is missing`, cause);
      if (code !== REPLY.accessRefused) throw cause;
      // RabbitMQ 4.3.0 lets only those look who may declare: that it is missing then shows when it is used.
      channel = await openChannel(model);
    }
  }
  await closeChannel(channel);
}

/**
 * Looks for what `t` expects and declares the rest of it on a channel of its own: exchanges, queues, bindings. A queue that
 * exists with other arguments is taken as it is, with a warning. Idempotent.
 * @throws BrokerError `no-exchange`, `topology-refused`, `queue-locked`; a plain error when the connection was lost.
 */
export async function declareTopology(model: ChannelModel, t: Topology, log: Log): Promise<void> {
  await expectExchanges(model, t.expected ?? []);
  if (t.exchanges === undefined && t.queues === undefined && t.bindings === undefined) return;
  let channel = await openChannel(model);
  const run = async (what: string, op: (channel: Channel) => Promise<unknown>) => {
    try {
      await op(channel);
    } catch (cause) {
      const code = replyCodeOf(cause);
      if (code === undefined) throw cause;
      const hint = `RabbitMQ refuses ${what} (${messageOf(cause)})`;
      if (code === REPLY.resourceLocked)
        throw new BrokerError('queue-locked', `${hint}; another connection owns it.`, cause);
      throw new BrokerError('topology-refused', `${hint}; delete it or make the settings agree.`, cause);
    }
  };
  for (const x of t.exchanges ?? []) await run(`exchange ${x.name}`, (c) => assertExchange(c, x));
  for (const q of t.queues ?? []) {
    try {
      await assertQueue(channel, q);
    } catch (cause) {
      if (replyCodeOf(cause) === undefined) throw cause;
      channel = await openChannel(model);
      if (replyCodeOf(cause) !== REPLY.preconditionFailed) {
        await run(`queue ${q.name}`, () => Promise.reject(cause));
      }
      await run(`queue ${q.name}`, (c) => c.checkQueue(q.name));
      if (differLimitOf(log, q.name).pass(performance.now()) !== undefined)
        log.warn({ queue: q.name, reason: messageOf(cause) }, 'queue differs, used as it is');
    }
  }
  for (const b of t.bindings ?? []) {
    await run(`binding ${b.queue} to ${b.exchange}`, (c) => c.bindQueue(b.queue, b.exchange, b.key));
  }
  await closeChannel(channel);
}
