import type { Close, Frame, Handed, Line, Open } from '../log.js';

/** A frame, with its place in the whole log. */
export interface Seen {
  readonly at: number;
  readonly isSent: boolean;
  readonly frame: Frame;
}

/** One socket. */
export interface Connection {
  readonly open: Open;
  readonly frames: Seen[];
  close: Close | undefined;
  /** When the client got `welcome`; undefined: never. */
  welcomeAt: number | undefined;
  hello: Frame | undefined;
  welcome: Frame | undefined;
}

/**
 * What one client saw of a session from a `hello` without `resume: true` on: from there the mesh owes it events, or gaps,
 * until the last socket is closed.
 */
export interface Life {
  readonly name: string;
  readonly uid: string;
  readonly session: string;
  /** Those that were welcomed, in the order of their welcomes. */
  readonly connections: readonly Connection[];
  /** Those and the others, in the order in which they were dialled: topics may come before the welcome. */
  readonly dialled: readonly Connection[];
  /** What its client gave to the application; undefined: the log does not tell, and the judge hands over itself. */
  readonly handed: readonly Handed[] | undefined;
  /** When its session was dialled first: before that there was nobody to get anything. */
  readonly sessionAt: number;
  readonly beginsAt: number;
  /** What is confirmed later is owed no more. */
  readonly endsAt: number;
  /** With `bye`: what was on its way then is only waiting. */
  readonly hasEnded: boolean;
  /** The client ended it in order, or not at all: all that was due is there. */
  readonly isWhole: boolean;
}

/** The lives of all sessions of a log. */
export function livesOf(lines: readonly Line[]): { lives: Life[]; faults: string[] } {
  const { connections, faults } = connectionsOf(lines);
  const bySession = new Map<string, Connection[]>();
  const dialledAt = new Map<string, number>();
  for (const connection of connections) {
    const { open, welcomeAt } = connection;
    const name = `${open.uid}.${open.session}`;
    dialledAt.set(name, Math.min(dialledAt.get(name) ?? open.at, open.at));
    if (welcomeAt !== undefined) bySession.set(name, [...(bySession.get(name) ?? []), connection]);
  }
  const lives: Life[] = [];
  const handed = handedBySession(lines);
  for (const [name, ofSession] of bySession) {
    ofSession.sort((a, b) => (a.welcomeAt ?? 0) - (b.welcomeAt ?? 0));
    const parts: Connection[][] = [];
    for (const connection of ofSession) {
      const part = parts.at(-1);
      if (part === undefined || connection.hello?.resume !== true) parts.push([connection]);
      else part.push(connection);
    }
    for (const [i, part] of parts.entries()) {
      const next = parts[i + 1];
      lives.push(
        lifeOf(parts.length === 1 ? name : `${name}#${i + 1}`, part, {
          dialled: dialledIn(connections, part, next),
          handed: handedIn(handed.get(name) ?? [], part, next),
          sessionAt: dialledAt.get(name) ?? openedAt(ofSession),
        }),
      );
    }
  }
  return { lives, faults };
}

/** Of this life's session, from its first connection until the first of the next life. */
function dialledIn(
  all: readonly Connection[],
  part: readonly Connection[],
  next: readonly Connection[] = [],
): Connection[] {
  const [first] = part;
  const [from, until] = [openedAt(part), openedAt(next)];
  return all
    .filter(({ open }) => open.uid === first?.open.uid && open.session === first.open.session)
    .filter(
      (each) =>
        part.includes(each) || (each.welcomeAt === undefined && each.open.at >= from && each.open.at < until),
    )
    .sort((a, b) => a.open.at - b.open.at);
}

/** What was handed over of this life's session, from its first connection until the first of the next life. */
function handedIn(
  handed: readonly Handed[],
  part: readonly Connection[],
  next: readonly Connection[] = [],
): Handed[] | undefined {
  const [first] = part;
  if (first?.open.hands !== true) return undefined;
  const [from, until] = [openedAt(part), openedAt(next)];
  return handed.filter(({ at }) => at >= from && at < until);
}

function handedBySession(lines: readonly Line[]): Map<string, Handed[]> {
  const found = new Map<string, Handed[]>();
  for (const line of lines) {
    if (line.kind !== 'handed') continue;
    const name = `${line.uid}.${line.session}`;
    const those = found.get(name);
    if (those) those.push(line);
    else found.set(name, [line]);
  }
  return found;
}

/** When the first of them was dialled. */
const openedAt = (connections: readonly Connection[]): number =>
  Math.min(Number.POSITIVE_INFINITY, ...connections.map(({ open }) => open.at));

function lifeOf(
  name: string,
  connections: readonly Connection[],
  { dialled, handed, sessionAt }: Pick<Life, 'dialled' | 'handed' | 'sessionAt'>,
): Life {
  const [first] = connections;
  const last = connections.at(-1);
  if (first === undefined || last === undefined) throw new Error('a life has a connection');
  const bye = connections
    .flatMap(({ frames }) => frames)
    .find(({ isSent, frame }) => isSent && frame.t === 'bye');
  const closedAt = last.close?.at ?? Number.POSITIVE_INFINITY;
  const isOrderly = last.close === undefined || (last.close.by === 'client' && last.close.code !== 1006);
  return {
    name,
    uid: first.open.uid,
    session: first.open.session,
    connections,
    dialled,
    handed,
    sessionAt,
    beginsAt: first.welcomeAt ?? first.open.at,
    endsAt: Math.min(closedAt, bye?.at ?? Number.POSITIVE_INFINITY),
    hasEnded: bye !== undefined,
    isWhole: isOrderly && bye === undefined && unacknowledged(last) < windowOf(last),
  };
}

export const windowOf = ({ welcome }: Connection): number =>
  typeof welcome?.window === 'number' ? welcome.window : 64;

/** Events that its client left unacknowledged: at a full window the rest waits, and is not lost. */
function unacknowledged({ frames, hello }: Connection): number {
  if (hello?.ack === 'write') return 0;
  const came = frames.findLast(({ isSent, frame }) => !isSent && isCounted(frame))?.frame.seq;
  const acked = frames.findLast(({ isSent, frame }) => isSent && frame.t === 'ack')?.frame.seq;
  return Number(came ?? 0) - Number(acked ?? 0);
}

/** Whether it has a `seq` of its own, as events have, and waits in the queue with them. */
export const isCounted = ({ t, seq }: Frame): boolean =>
  typeof seq === 'number' && ['event', 'part', 'ok', 'error', 'ask'].includes(t);

function connectionsOf(lines: readonly Line[]): { connections: Connection[]; faults: string[] } {
  const byName = new Map<string, Connection>();
  const faults: string[] = [];
  for (const line of lines) {
    if (line.kind === 'open') {
      if (byName.has(line.connection)) faults.push(`connection ${line.connection} is opened twice`);
      const none = { close: undefined, welcomeAt: undefined, hello: undefined, welcome: undefined };
      byName.set(line.connection, { open: line, frames: [], ...none });
      continue;
    }
    if (line.kind !== 'send' && line.kind !== 'frame' && line.kind !== 'close') continue;
    const connection = byName.get(line.connection);
    if (connection === undefined) faults.push(`connection ${line.connection} was never opened`);
    else if (line.kind === 'close') connection.close = line;
    else note(connection, { at: line.at, isSent: line.kind === 'send', frame: line.frame });
  }
  return { connections: [...byName.values()], faults: [...new Set(faults)] };
}

function note(connection: Connection, seen: Seen): void {
  connection.frames.push(seen);
  if (seen.isSent && seen.frame.t === 'hello') connection.hello ??= seen.frame;
  if (seen.isSent || seen.frame.t !== 'welcome' || connection.welcome !== undefined) return;
  connection.welcome = seen.frame;
  connection.welcomeAt = seen.at;
}
