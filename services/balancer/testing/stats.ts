import type { NodeStats } from '@evenkeel/protocol';
import { statsOf as idleStatsOf } from '@evenkeel/testkit';

/** Statistics of a healthy node a second after the ones before, for tests. */
export const statsOf = (node: string, seq: number, more: Partial<NodeStats> = {}): NodeStats =>
  idleStatsOf(node, {
    boot: `${node}-1`,
    seq,
    at: seq * 1000,
    version: '1',
    capacity: 100_000,
    connections: more.sessions ?? 0,
    handshakeP99Ms: 10,
    loopLagP99Ms: 1,
    ...more,
  });
