import type { Frame } from '../log.js';
import { type Item, isMade } from './items.js';
import { type Connection, type Life, windowOf } from './lives.js';

/**
 * The directed events that a client which keeps PROTOCOL.md hands to its application in this life, and the gaps between them.
 * A repeat that is marked as one, and known by position or by id, is dropped; `resent` are ids that a publisher may have sent
 * twice.
 */
export function eventsOf(life: Life, resent: ReadonlySet<string>): Item[] {
  const items: Item[] = [];
  const recent: string[] = [];
  let newest = 0;
  /** By the connection's identity: the last event that was taken from it. */
  const lastSeqs = new Map<string, number>();
  for (const { index, connection, at, frame } of received(life)) {
    if (frame.t === 'welcome') newest = Math.max(newest, index);
    if (frame.t === 'gap' && frame.topic === undefined) {
      const { open } = connection;
      const reason = String(frame.reason);
      items.push({ kind: 'gap', at, reason, connection: open.connection, isOwn: false });
    }
    // After a welcome the older socket's events come again by the newer.
    if (frame.t !== 'event' || index < newest) continue;
    const id = String(frame.id);
    if (
      repeats(
        frame,
        id,
        recent.slice(-2 * windowOf(connection)),
        resent,
        lastSeqs.get(lastOf(connection)) ?? 0,
      )
    )
      continue;
    recent.push(id);
    lastSeqs.set(nameOf(connection), Number(frame.seq));
    const where = `${connection.open.connection} seq ${String(frame.seq)}`;
    items.push({ kind: 'delivery', at, id, name: String(frame.name), data: frame.data, where });
  }
  return items;
}

function repeats(
  frame: Frame,
  id: string,
  recent: readonly string[],
  resent: ReadonlySet<string>,
  lastSeq: number,
): boolean {
  const isKnown = recent.includes(id);
  if (!isMade(id)) return isKnown && (frame.redelivered === true || resent.has(id));
  if (frame.redelivered !== true) return false;
  // The edge says which delivery of the connection named in hello it was.
  return typeof frame.again === 'number' ? frame.again <= lastSeq : isKnown;
}

const nameOf = ({ welcome }: Connection): string => String(welcome?.connection);
const lastOf = ({ hello }: Connection): string =>
  String((hello?.last as { connection?: unknown } | undefined)?.connection);

interface Received {
  readonly index: number;
  readonly connection: Connection;
  readonly at: number;
  readonly frame: Frame;
}

/** Frames of all connections, as they came. */
function received(life: Life): Received[] {
  return life.connections
    .flatMap((connection, index) =>
      connection.frames
        .filter(({ isSent }) => !isSent)
        .map(({ at, frame }) => ({ index, connection, at, frame })),
    )
    .sort((a, b) => a.at - b.at || a.index - b.index);
}
