import { z } from 'zod';
import { isNodeName } from './names.js';

/** A node's name: one routing-key word. */
export const nodeName = z.string().refine(isNodeName, 'a node name is 1 to 64 of A-Z a-z 0-9 _ -');

/** An id that a process makes up: a boot, a question, a takeover. */
export const shortId = z.string().min(1).max(128);

/** A broker among several: `host:port`. */
export const brokerAddress = z.string().min(1).max(300);

/** What clients dial. */
export const nodeUrl = z.string().min(1).max(2_048);

/** Share of the load relative to other nodes: one may have ten thousand times another's, and a ring stays small. */
export const minWeight = 0.01;
/** See {@link minWeight}. */
export const maxWeight = 100;
/** See {@link minWeight}. */
export const nodeWeight = z.number().min(minWeight).max(maxWeight);

/** How many: a whole number from 0. */
export const count = z.number().int().nonnegative();

/** One connection of a service to RabbitMQ, or all of them together. */
export const amqpFigures = z.object({
  isConnected: z.boolean(),
  /** RabbitMQ has raised an alarm and takes no messages from it. */
  isBlocked: z.boolean(),
  /** How often it came back after a loss, since the start. */
  reconnects: count,
  channels: count,
  /** Messages sent and not confirmed. */
  unconfirmed: count,
  /** Messages that wait to be sent. */
  waiting: count,
  /** Declarations, bindings and looks that wait for a channel. */
  operationsWaiting: count,
  consumers: count,
  /** Those of them that do not consume: their channel or queue is gone. */
  recovering: count,
});
export type AmqpFigures = z.infer<typeof amqpFigures>;

/** Most connections an edge takes. */
export const nodeCapacity = z.number().int().positive().max(1_000_000);
