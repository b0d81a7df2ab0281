import type { NodeStats } from '@evenkeel/protocol';

/** Statistics of a healthy node, for tests. */
export function statsOf(node: string, seq: number, more: Partial<NodeStats> = {}): NodeStats {
  const sessions = more.sessions ?? 0;
  return {
    v: 1,
    node,
    url: `ws://${node}`,
    boot: `${node}-1`,
    seq,
    at: seq * 1000,
    state: 'active',
    version: '1',
    weight: 1,
    capacity: 100_000,
    connections: sessions,
    sessions,
    detached: 0,
    unacked: 0,
    deliveredPerSecond: 0,
    receivedPerSecond: 0,
    bytesPerSecond: 0,
    handshakesPerSecond: 0,
    handshakeP99Ms: 10,
    loopLagP99Ms: 1,
    loopUtilization: 0.1,
    cpu: 0.1,
    rssBytes: 1,
    moves: { pending: 0, done: 0, failed: 0 },
    ...more,
  };
}
