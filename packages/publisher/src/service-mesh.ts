import type { ConsumerChannels, Delivery, Log, TopologyOptions } from '@evenkeel/broker';
import { exchanges, replyExchangeHeader, traceContextOf } from '@evenkeel/protocol/wire';
import { isOfMesh } from './authorize.js';
import type { Cancellations } from './cancellations.js';
import type { HandledCounts } from './figures.js';
import type { QueueOptions } from './queues.js';
import type { Replies, ReplyAddress } from './replies.js';
import type { Tracing } from './tracing.js';

/** What a service needs of the mesh: a connection to consume on, and another for its replies. */
export interface ServiceMesh {
  readonly broker: { topology(options: TopologyOptions): QueueOptions['topology'] };
  readonly consumers: Pick<ConsumerChannels, 'consume'>;
  readonly replies: Pick<Replies, 'send' | 'sendPart'>;
  readonly cancellations: Cancellations;
  /** Of the application service. */
  readonly name: string;
  readonly log: Log;
  readonly counts: HandledCounts;
  readonly tracing: Tracing;
  readonly closeTimeoutMs: number;
}

/** Where the answer goes; undefined: nowhere. */
export function addressOf({ key, properties }: Delivery): ReplyAddress | undefined {
  const { replyTo, correlationId, headers } = properties;
  if (replyTo === undefined) return undefined;
  const exchange = isOfMesh(key) ? exchanges.replies : headers[replyExchangeHeader];
  return { replyTo, correlationId, exchange, trace: traceContextOf(headers) };
}
