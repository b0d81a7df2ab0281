import { type Delivery, type Gap, type Item, isMade } from './items.js';
import type { Connection, Life } from './lives.js';

/** A time for which a client is subscribed to a topic, over its connections. */
export interface Spell {
  readonly topic: string;
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly isWhole: boolean;
  readonly connections: readonly Connection[];
}

/** How long B's messages wait for A's `moved`. */
const patienceMs = 5000;
const remembered = 512;
/** Two queues may take in what is published at the same moment in another order, the mark among it: by so many messages. */
const reach = 8;

export function spellsOf(life: Life): Spell[] {
  const topics = new Set(life.connections.flatMap((each) => [...helloTopics(each), ...asked(each)]));
  return [...topics]
    .flatMap((topic) => spellsOfTopic(life, topic))
    .map((spell) => sinceSubscribed(spell, life));
}

/** A topic with history counts from the moment at which the edge has said where it begins. */
function sinceSubscribed(whole: Spell, life: Life): Spell {
  if (!hasHistory(whole)) return whole;
  const isWithin = ({ open }: Connection): boolean =>
    open.at >= (whole.connections[0]?.open.at ?? 0) && open.at <= whole.endsAt;
  const spell = { ...whole, connections: life.dialled.filter(isWithin) };
  const frames = spell.connections.flatMap((each) => each.frames);
  const first = frames.find(({ frame }) => frame.t === 'subscribed' && frame.topic === spell.topic);
  return { ...spell, beginsAt: Math.max(spell.beginsAt, first?.at ?? spell.beginsAt) };
}

function spellsOfTopic(life: Life, topic: string): Spell[] {
  const spells: Spell[] = [];
  let current: { beginsAt: number; connections: Connection[] } | undefined;
  const end = (endsAt: number, isWhole: boolean): void => {
    if (current !== undefined) spells.push({ topic, ...current, endsAt, isWhole });
    current = undefined;
  };
  for (const connection of life.connections) {
    const { welcomeAt = 0 } = connection;
    const isTaken = helloTopics(connection).includes(topic);
    if (!isTaken) end(current?.connections.at(-1)?.close?.at ?? welcomeAt, false);
    else if (current === undefined) current = { beginsAt: welcomeAt, connections: [connection] };
    else current.connections.push(connection);
    const open = new Set<string>();
    for (const { isSent, frame, at } of connection.frames) {
      if (isSent && frame.t === 'subscribe' && frame.topic === topic) open.add(String(frame.id));
      if (isSent && frame.t === 'unsubscribe' && frame.topic === topic) end(at, false);
      if (!isSent && frame.t === 'ok' && open.has(String(frame.re)))
        current ??= { beginsAt: at, connections: [connection] };
    }
  }
  const last = life.connections.at(-1)?.close;
  end(life.endsAt, !life.hasEnded && (last === undefined || last.by === 'client'));
  return spells;
}

const helloTopics = ({ hello }: Connection): string[] =>
  (Array.isArray(hello?.topics) ? hello.topics : []).map((each: unknown) =>
    typeof each === 'string' ? each : String((each as { topic?: unknown }).topic),
  );

const asked = ({ frames }: Connection): string[] =>
  frames
    .filter(({ isSent, frame }) => isSent && frame.t === 'subscribe')
    .map(({ frame }) => String(frame.topic));

type Entry = Item | { readonly kind: 'mark'; readonly at: number; readonly mark: string };

/** What a client that keeps PROTOCOL.md hands over of a topic; `resent` as for events. */
export function messagesOf(spell: Spell, resent: ReadonlySet<string>): Item[] {
  return onceEach(hasHistory(spell) ? pastOf(spell) : mergedOf(spell), resent);
}

function mergedOf(spell: Spell): Item[] {
  let items: Item[] = [];
  let before: Connection | undefined;
  for (const connection of spell.connections) {
    const entries = entriesOf(connection, spell);
    const isMove = before !== undefined && (before.close?.at ?? Infinity) > connection.open.at;
    items = isMove && before ? joined(items, before, entries, connection) : withoutKnown(items, entries);
    before = connection;
  }
  return items;
}

/** Without the second of what a publisher may have sent twice. */
function onceEach(items: readonly Item[], resent: ReadonlySet<string>): Item[] {
  const twice = new Set<string>();
  return items.filter((each) => {
    if (each.kind === 'gap' || !resent.has(each.id)) return true;
    const isFirst = !twice.has(each.id);
    twice.add(each.id);
    return isFirst;
  });
}

/** Whether its messages are kept: an edge says so by their positions. */
export const hasHistory = ({ topic, connections }: Pick<Spell, 'topic' | 'connections'>): boolean =>
  connections.some(({ frames }) =>
    frames.some(({ isSent, frame }) => !isSent && frame.topic === topic && frame.position !== undefined),
  );

/**
 * Of a topic with history each edge goes on where the one before it stopped, or behind what `hello` names: nothing is left to the
 * client but what came after it had said that.
 */
function pastOf(spell: Spell): Item[] {
  const items: Item[] = [];
  for (const connection of spell.connections) {
    const saidAt = connection.frames.find(({ isSent, frame }) => isSent && frame.t === 'hello')?.at ?? 0;
    const late = new Set(idsOf(items.filter(({ at }) => at >= saidAt)));
    for (const each of entriesOf(connection, spell).filter(isItem))
      if (each.kind === 'gap' || !late.has(each.id)) items.push(each);
  }
  return items;
}

const isItem = (entry: Entry): entry is Item => entry.kind !== 'mark';
const idsOf = (items: readonly Item[]): string[] =>
  items.flatMap((each) => (each.kind === 'delivery' ? [each.id] : []));

/** Over a reconnect real ids tell repeats. */
function withoutKnown(items: readonly Item[], entries: readonly Entry[]): Item[] {
  const known = new Set(
    idsOf(items)
      .slice(-remembered)
      .filter((id) => !isMade(id)),
  );
  return [...items, ...entries.filter(isItem).filter((each) => each.kind === 'gap' || !known.has(each.id))];
}

/** A move from `old`: its messages until `moved`, then what the new socket brought besides. */
function joined(
  items: readonly Item[],
  old: Connection,
  entries: readonly Entry[],
  fresh: Connection,
): Item[] {
  const moved = old.frames.find(({ isSent, frame }) => !isSent && frame.t === 'moved');
  const limit = (fresh.welcomeAt ?? fresh.open.at) + patienceMs;
  const endsAt = Math.min(moved?.at ?? Infinity, old.close?.at ?? Infinity, limit);
  const isToldOff = moved !== undefined && moved.at === endsAt;
  const handed = items.filter((each) => each.at <= endsAt);
  const tail = idsOf(handed).slice(-remembered);
  const seen = new Set(tail);
  // B may lag behind A: until its mark has come it brings what A has brought.
  const marked = entries.findIndex((each) => each.kind === 'mark' && each.mark === moved?.frame.mark);
  const split = Math.max(marked + 1, entries.filter((each) => each.at <= endsAt).length);
  const kept = entries.slice(0, split);
  const later = entries.slice(split).filter(isItem);
  const keptItems = kept.filter(isItem);
  const messages = keptItems.filter((each): each is Delivery => each.kind === 'delivery');
  const gapOfOld = handed.findLast(
    (each): each is Gap => each.kind === 'gap' && each.at >= fresh.open.at && !each.isOwn,
  );
  const mark = markAt(kept, moved?.frame.mark);
  const overlap = splitOf(tail, idsOf(messages), mark);
  // What it sent behind its gap reaches up to the mark: all else before that is older.
  const upToMark = handed.at(-1)?.kind === 'delivery' ? (mark ?? 0) : 0;
  const leftOut =
    gapOfOld === undefined ? 0 : Math.max(upToMark, messages.findLastIndex(({ id }) => seen.has(id)) + 1);
  const counts = new Map<string, number>();
  for (const id of tail) counts.set(id, (counts.get(id) ?? 0) + 1);
  const isNear = (i: number): boolean => i < (mark ?? 0) + reach;
  const isRepeat = ({ id }: Delivery, i: number): boolean => {
    const isOnce = counts.get(id) === 1;
    // Before the mark, and behind what agrees: taken in another order by the two queues.
    return overlap === undefined ? isNear(i) && isOnce : i < overlap || (i < (mark ?? 0) && isOnce);
  };
  const dropped = new Set<Item>(
    messages.filter((each, i) => i < leftOut || (isMade(each.id) ? isRepeat(each, i) : seen.has(each.id))),
  );
  // Without a mark B may lag, and content that has come once lately is taken for a repeat.
  const came = new Set<string>();
  const isLate = (each: Delivery): boolean => {
    if (!isMade(each.id)) return seen.has(each.id);
    const isOnce = counts.get(each.id) === 1 && !came.has(each.id) && !idsOf([...dropped]).includes(each.id);
    came.add(each.id);
    return mark === undefined && isOnce && each.at < endsAt + patienceMs;
  };
  // Taken in another order by the two queues, and recurring: nobody knows which of them it is.
  const unknown = new Set<Item>(
    messages.filter(
      ({ id }, i) => overlap === undefined && isMade(id) && isNear(i) && (counts.get(id) ?? 0) > 1,
    ),
  );
  const own: Gap = { kind: 'gap', at: endsAt, reason: 'unknown', connection: '', isOwn: true };
  const isDoubtful = gapOfOld !== undefined || (!isToldOff && overlap === 0);
  return [
    ...handed,
    ...(isDoubtful ? [own] : []),
    ...keptItems
      .filter((each) => !dropped.has(each))
      .map((each) => (unknown.has(each) ? { ...each, isDoubtful: true } : each)),
    ...later.filter((each) => each.kind === 'gap' || !isLate(each)),
  ];
}

/** How many of the kept messages were there before the mark of the move; undefined: no mark. */
function markAt(kept: readonly Entry[], mark: unknown): number | undefined {
  if (typeof mark !== 'string') return undefined;
  const at = kept.findIndex((each) => each.kind === 'mark' && each.mark === mark);
  return at < 0 ? undefined : kept.slice(0, at).filter((each) => each.kind === 'delivery').length;
}

/**
 * How many of what the new socket brought first, the old one has brought last: nearest to the mark, else the most. Undefined: by the mark
 * there are some, but near it the two do not agree, since several published at the same moment.
 */
function splitOf(
  tail: readonly string[],
  kept: readonly string[],
  mark: number | undefined,
): number | undefined {
  const fitting: number[] = [];
  for (let n = 0; n <= kept.length; n++) {
    const shared = Math.min(n, tail.length);
    if (kept.slice(n - shared, n).every((id, i) => id === tail[tail.length - shared + i])) fitting.push(n);
  }
  if (mark === undefined) return fitting.filter((n) => n <= tail.length).at(-1) ?? 0;
  return fitting
    .filter((n) => (n > 0 || mark === 0) && Math.abs(n - mark) <= reach)
    .filter((n) => n <= tail.length || tail.length === remembered)
    .sort((a, b) => Math.abs(a - mark) - Math.abs(b - mark))[0];
}

function entriesOf({ frames, open }: Connection, spell: Spell): Entry[] {
  const entries: Entry[] = [];
  let n = 0;
  for (const { isSent, frame, at } of frames) {
    if (isSent || at > spell.endsAt) continue;
    if (frame.t === 'mark') entries.push({ kind: 'mark', at, mark: String(frame.mark) });
    if (frame.topic !== spell.topic) continue;
    if (frame.t === 'gap')
      entries.push({
        kind: 'gap',
        at,
        reason: String(frame.reason),
        connection: open.connection,
        isOwn: false,
      });
    if (frame.t !== 'message') continue;
    const where = `${open.connection} message ${++n} of ${spell.topic}`;
    entries.push({
      kind: 'delivery',
      at,
      id: String(frame.id),
      name: spell.topic,
      data: frame.data,
      isDoubtful: false,
      where,
    });
  }
  return entries;
}
