import { buildRing, ownerOf, ringKey } from '@evenkeel/cluster';
import type { CommandOf } from '@evenkeel/protocol';

/** A `load` of which less than this part is left counts as moved: the rest would take a crowd of quiet sessions. */
const negligiblePart = 0.02;

/** What is looked at in a session. */
export interface Candidate {
  readonly claims: { readonly uid: string; readonly sid: string };
  readonly load: {
    readonly activeAtMs: number;
    readonly eventsPerSecond: number;
    readonly bytesPerSecond: number;
  };
}

/**
 * Which sessions a `reconnect` takes: those it names, or as many as it counts, idle first; with `by` and `load`
 * the busiest that still fit what is to be moved, then smaller ones until next to nothing is left; with `ring`
 * only those whose arc belongs to the target.
 */
export function pick<C extends Candidate>(command: CommandOf<'reconnect'>, all: C[]): C[] {
  const { by = 'connections', load } = command;
  const limit = command.count ?? Number.POSITIVE_INFINITY;
  const movable = command.ring ? all.filter(ownedBy(command.to.node, command.ring)) : all;
  if (load !== undefined && by !== 'connections')
    return pickByLoad(movable, by === 'bytes' ? bytesOf : eventsOf, load, limit);
  if (limit >= movable.length) return movable;
  return movable.sort((a, b) => a.load.activeAtMs - b.load.activeAtMs).slice(0, limit);
}

function ownedBy(
  node: string,
  spec: NonNullable<CommandOf<'reconnect'>['ring']>,
): (candidate: Candidate) => boolean {
  const ring = buildRing(spec.nodes, spec.points);
  return ({ claims }) => ownerOf(ring, ringKey(claims.uid, claims.sid)) === node;
}

const eventsOf = ({ load }: Candidate): number => load.eventsPerSecond;
const bytesOf = ({ load }: Candidate): number => load.bytesPerSecond;

function pickByLoad<C extends Candidate>(
  movable: C[],
  loadOf: (candidate: C) => number,
  load: number,
  limit: number,
): C[] {
  const picked: C[] = [];
  let left = load;
  for (const session of movable.sort((a, b) => loadOf(b) - loadOf(a))) {
    if (picked.length >= limit || left < load * negligiblePart) break;
    const cost = loadOf(session);
    if (cost <= 0) break;
    if (cost > left) continue;
    picked.push(session);
    left -= cost;
  }
  return picked;
}
