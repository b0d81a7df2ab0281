import type { NodeStats } from '@evenkeel/protocol';

/** Statistics of an idle edge; `over` says what is otherwise. */
export function statsOf(node: string, over: Partial<NodeStats> = {}): NodeStats {
  return {
    v: 1,
    node,
    url: `ws://${node}.example/ws`,
    boot: 'b1',
    seq: 1,
    at: Date.now(),
    state: 'active',
    version: '1.0.0',
    weight: 1,
    capacity: 16_000,
    connections: 0,
    sessions: 0,
    detached: 0,
    unacked: 0,
    deliveredPerSecond: 0,
    receivedPerSecond: 0,
    bytesPerSecond: 0,
    handshakesPerSecond: 0,
    handshakeP99Ms: 0,
    loopLagP99Ms: 0,
    loopUtilization: 0,
    cpu: 0,
    rssBytes: 1,
    moves: { pending: 0, done: 0, failed: 0 },
    ...over,
  };
}
