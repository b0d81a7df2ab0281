/** What the broker says of a message's sender: RabbitMQ takes a `user_id` only from the user itself. */
export interface Sender {
  /** Undefined where the sender has given none. */
  readonly user: string | undefined;
}

/** Whether the sender may speak for this node: the user `edge-<node>` is one edge's own and speaks for no other. */
export const maySpeakFor = ({ user }: Sender, node: string): boolean =>
  user === undefined || !user.startsWith('edge-') || user === `edge-${node}`;
