import type { NodeStatus, StatusAnswer } from '@evenkeel/protocol';

/** A node as `status` has it. */
export const node = (name: string, more: Partial<NodeStatus> = {}): NodeStatus => ({
  node: name,
  url: `ws://${name}/ws`,
  state: 'active',
  version: '1.0.0',
  connections: 10,
  sessions: 10,
  capacity: 100,
  ...more,
});

/** An answer of `status` with these nodes. */
export const statusOf = (nodes: NodeStatus[], more: Partial<StatusAnswer> = {}): StatusAnswer => ({
  ok: true,
  nodes,
  leader: 'b1',
  plan: null,
  ...more,
});
