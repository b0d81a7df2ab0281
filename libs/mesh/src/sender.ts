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
 * Whether its sender has published it to this exchange, by a key that the broker has let it use. Whoever may declare a queue or an
 * exchange can have messages go on from there, past what it may publish: as dead letters, with another key, by an alternate
 * exchange, by a binding from exchange to exchange. And a `user_id` goes along.
 */
export const isSentTo = (
  { exchange, properties }: Pick<Delivery, 'exchange' | 'properties'>,
  to: string,
): boolean => exchange === to && properties.headers['x-death'] === undefined;
