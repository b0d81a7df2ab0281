import type { Frame } from '../log.js';
import { type Item, isMade } from './items.js';
import { type Connection, isCounted, type Life, windowOf } from './lives.js';

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
    if (index < newest) continue;
    const came = lastSeqs.get(lastOf(connection)) ?? 0;
    if (isCounted(frame)) lastSeqs.set(nameOf(connection), Number(frame.seq));
    if (frame.t !== 'event') continue;
    const id = String(frame.id);
    const isKnown = recent.slice(-2 * windowOf(connection)).includes(id);
    if (isRepeat(frame, isKnown, resent, came)) continue;
    recent.push(id);
    const isDoubtful = isMade(id) && frame.redelivered === true && frame.again === undefined;
    const where = `${connection.open.connection} seq ${String(frame.seq)}`;
    items.push({ kind: 'delivery', at, id, name: String(frame.name), data: frame.data, isDoubtful, where });
  }
  return items;
}

/** Whether a client drops it; `came`: the last `seq` of the connection that its `hello` named. */
function isRepeat(frame: Frame, isKnown: boolean, resent: ReadonlySet<string>, came: number): boolean {
  const id = String(frame.id);
  if (!isMade(id)) return isKnown && (frame.redelivered === true || resent.has(id));
  return frame.redelivered === true && typeof frame.again === 'number' && frame.again <= came;
}

const nameOf = ({ welcome }: Connection): string => String(welcome?.connection);
const lastOf = ({ hello }: Connection): string =>
  String((hello?.last as { connection?: unknown } | undefined)?.connection);

export interface Received {
  readonly index: number;
  readonly connection: Connection;
  readonly at: number;
  readonly frame: Frame;
}

/** Frames of all connections, as they came. */
export function received(life: Life): Received[] {
  return life.connections
    .flatMap((connection, index) =>
      connection.frames
        .filter(({ isSent }) => !isSent)
        .map(({ at, frame }) => ({ index, connection, at, frame })),
    )
    .sort((a, b) => a.at - b.at || a.index - b.index);
}
