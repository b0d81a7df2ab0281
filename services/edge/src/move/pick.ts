import { buildRing, ownerOf, ringKey } from '@evenkeel/cluster';
import type { CommandOf } from '@evenkeel/protocol';
import type { Session } from '../session/session.js';

/** A `load` of which less than this part is left counts as moved: the rest would take a crowd of quiet sessions. */
const negligiblePart = 0.02;

/**
 * Which sessions a `reconnect` takes: those it names, or as many as it counts, idle first; with `by` and `load`
 * the busiest that still fit what is to be moved, then smaller ones until next to nothing is left; with `ring`
 * only those whose arc belongs to the target.
 */
export function pick(command: CommandOf<'reconnect'>, all: Session[]): Session[] {
  const { by = 'connections', load } = command;
  const limit = command.count ?? Number.POSITIVE_INFINITY;
  const movable = command.ring ? all.filter(ownedBy(command.to.node, command.ring)) : all;
  if (load !== undefined && by !== 'connections')
    return pickByLoad(movable, by === 'bytes' ? bytesOf : eventsOf, load, limit);
  if (limit >= movable.length) return movable;
  return movable.sort((a, b) => a.activeAtMs - b.activeAtMs).slice(0, limit);
}

function ownedBy(
  node: string,
  spec: NonNullable<CommandOf<'reconnect'>['ring']>,
): (session: Session) => boolean {
  const ring = buildRing(spec.nodes, spec.points);
  return ({ claims }) => ownerOf(ring, ringKey(claims.uid, claims.sid)) === node;
}

const eventsOf = (session: Session): number => session.eventsPerSecond;
const bytesOf = (session: Session): number => session.bytesPerSecond;

function pickByLoad(
  movable: Session[],
  loadOf: (s: Session) => number,
  load: number,
  limit: number,
): Session[] {
  const picked: Session[] = [];
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
