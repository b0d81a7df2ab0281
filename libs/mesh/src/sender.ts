import type { Delivery } from '@evenkeel/broker';

/** What the broker says of a message's sender: RabbitMQ takes a `user_id` only from the user itself. */
export interface Sender {
  /** Undefined where the sender has given none. */
  readonly user: string | undefined;
}

/** Whether the sender may speak for this node: the user `edge-<node>` is one edge's own and speaks for no other. */
export const maySpeakFor = ({ user }: Sender, node: string): boolean =>
  user === undefined || !user.startsWith('edge-') || user === `edge-${node}`;

/**
 * Whether another queue has given it up. Whoever declares a queue chooses where its dead letters go and with which key, past
 * what a user may publish; and a `user_id` goes along.
 */
export const isDeadLetter = ({ properties }: Pick<Delivery, 'properties'>): boolean =>
  properties.headers['x-death'] !== undefined;
