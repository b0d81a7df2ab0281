import type { SimCluster } from './cluster.js';
import { Random } from './random.js';
import {
  bySessions,
  calm,
  forMs,
  MAX_OVER_MEAN,
  type Script,
  type Sizes,
  seatEvenly,
  until,
} from './scenarios.js';

/** What may happen. Of the last five nothing is different with the nodes: the observation fails, or another balancer leads. */
export const eventKinds = [
  'join',
  'drain',
  'crash',
  'restart',
  'mute',
  'slow',
  'deploy',
  'silence',
  'loss',
  'clock',
  'forge',
  'succeed',
] as const;
type EventKind = (typeof eventKinds)[number];

/** Something that happens to a node; `which` picks the node, `afterMs` is the time until the next event. */
export interface HistoryEvent {
  readonly kind: EventKind;
  readonly which: number;
  readonly afterMs: number;
}

/** Plays events in order, brings every node back that the last of them has left drained, and waits for calm. */
export function* history(c: SimCluster, sizes: Sizes, events: readonly HistoryEvent[]): Script {
  seatEvenly(c, sizes);
  yield* forMs(c, 4000);
  let joined = 0;
  for (const { kind, which, afterMs } of events) {
    const all = [...c.nodes.values()];
    const node = all[which % all.length];
    if (node === undefined) break;
    const others = c.active().filter((n) => n !== node);
    if (kind === 'join') c.addNode(`j${++joined}`);
    else if (kind === 'drain' && node.isUp && node.state === 'active' && others.length > 0) c.drain(node);
    else if (kind === 'crash' && node.isUp && others.length > 0) c.crash(node);
    else if (kind === 'restart' && !node.isUp) c.restart(node, node.version);
    else if (kind === 'deploy' && !node.isUp) c.restart(node, String(Number(node.version) + 1));
    else if (kind === 'mute') node.muteUntilMs = c.nowMs + 5000;
    else if (kind === 'slow') node.handshakesPerSecond = 100;
    else if (kind === 'silence') c.silentUntilMs = c.nowMs + which * which * 10;
    else if (kind === 'loss') c.loss = { untilMs: c.nowMs + which * 100, ratio: which / 150 };
    else if (kind === 'clock') node.aheadMs = (which - 50) * 60_000;
    else if (kind === 'forge') c.forge(node);
    else if (kind === 'succeed') {
      c.drainAbsent(30_000 + which * 1_000);
      c.succeed((which - 50) * 73_000);
    }
    yield* forMs(c, afterMs);
  }
  for (const node of c.nodes.values()) {
    // One whose clock is far off is avoided until somebody sets it.
    node.aheadMs = 0;
    if (node.isUp && node.state === 'draining') {
      yield* until(c, `${node.node} empty`, () => node.sessions === 0);
      c.crash(node);
    }
    if (!node.isUp) c.restart(node, node.version);
  }
  // The damping of nodes that came and went, and the wait while versions are mixed, have to pass.
  yield* until(c, 'level again', () => !c.isBusy && c.maxOverMean(bySessions) <= MAX_OVER_MEAN);
  yield* calm(c);
  return {
    minimumMoves: 0,
    mostMoves: Number.POSITIVE_INFINITY,
    maxOverMean: MAX_OVER_MEAN,
    measure: bySessions,
  };
}

/** Events at random, in a cluster at random: all from one seed. */
export function randomHistory(seed: number): { events: HistoryEvent[]; sizes: Sizes } {
  const random = new Random(seed);
  const nodes = 2 + random.below(7);
  const events = Array.from({ length: random.below(13) }, () => ({
    kind: random.pick(eventKinds),
    which: random.below(101),
    afterMs: 100 + random.below(15_000),
  }));
  return { events, sizes: { nodes, sessions: nodes * 1000 } };
}
