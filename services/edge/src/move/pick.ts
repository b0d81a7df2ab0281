import type { CommandOf } from '@evenkeel/protocol';
import type { Session } from '../session/session.js';

/**
 * Which sessions a `reconnect` takes: those it names, or as many as it counts, idle first; with `by` and `load`
 * the busiest that still fit what is to be moved, then smaller ones until nothing fits.
 */
export function pick(command: CommandOf<'reconnect'>, movable: Session[]): Session[] {
  const { by = 'connections', load } = command;
  const limit = command.count ?? Number.POSITIVE_INFINITY;
  if (load !== undefined && by !== 'connections')
    return pickByLoad(movable, by === 'bytes' ? bytesOf : eventsOf, load, limit);
  if (limit >= movable.length) return movable;
  return movable.sort((a, b) => a.activeAtMs - b.activeAtMs).slice(0, limit);
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
    if (picked.length >= limit) break;
    const cost = loadOf(session);
    if (cost <= 0) break;
    if (cost > left) continue;
    picked.push(session);
    left -= cost;
  }
  return picked;
}
