import { align, type GapAt } from './align.js';
import type { Delivery, Gap, Item } from './items.js';
import { isMade } from './items.js';
import { type Published, tagOf } from './published.js';

/** One ordered stream: a session's events, or a topic at one of its subscribers. */
export interface Stream {
  readonly name: string;
  readonly topic: string | undefined;
  readonly items: readonly Item[];
  /** What was published to it, in order of time, each with the names that it may come under. */
  readonly published: readonly { readonly of: Published; readonly names: readonly string[] }[];
  readonly opensAt: number;
  readonly beginsAt: number;
  readonly endsAt: number;
  /** Everything due had arrived when it ended. */
  readonly isWhole: boolean;
}

export type FaultKind = 'lost' | 'late-gap' | 'repeated' | 'reordered' | 'false-gap' | 'foreign' | 'early';

export interface Fault {
  readonly kind: FaultKind;
  readonly stream: string;
  readonly at: number;
  readonly detail: string;
}

export interface StreamVerdict {
  readonly owed: number;
  readonly delivered: number;
  readonly gaps: number;
  readonly faults: readonly Fault[];
  /** Gaps with nothing missing in their place. */
  readonly idle: readonly Gap[];
  /** What was owed and did not come, told or not: ids and contents. */
  readonly missing: readonly string[];
}

interface Wanted {
  readonly of: Published;
  readonly tag: string;
  /** No other message of the stream is like it: it is known which delivery is which. */
  readonly isUnique: boolean;
  readonly at: number;
  readonly isOwed: boolean;
}

interface Place {
  readonly wanted: Wanted;
  /** Where it stands among the items. */
  readonly index: number;
}

export function judgeStream(stream: Stream): StreamVerdict {
  const { name, items } = stream;
  const { wanted, tagFor } = expected(stream);
  const deliveries = items.flatMap((item, index) => (item.kind === 'delivery' ? [{ item, index }] : []));
  const faults: Fault[] = [];
  const fault = (kind: FaultKind, at: number, detail: string): void => {
    faults.push({ kind, stream: name, at, detail });
  };
  const places: Place[] = [];
  const missing: Wanted[] = [];
  const known = new Set(wanted.map(({ tag }) => tag));
  for (const { item } of deliveries) {
    if (!known.has(tagFor(item))) fault('foreign', item.at, `${item.where}: nobody published ${item.id}`);
  }
  for (const unplaced of groups(wanted)) {
    const group = unplaced.map((each) => ({ ...each, ...boundsOf(each, places, stream.topic) }));
    const tags = new Set(group.map(({ tag }) => tag));
    const came = deliveries.filter(({ item }) => tags.has(tagFor(item)));
    const matches = align(
      group,
      withGaps(items, came, tagFor),
      gapsIn(items, (came.at(-1)?.index ?? -1) + 1),
    );
    const placed: Place[] = [];
    const taken = new Set(matches);
    const left = new Map<string, number[]>();
    for (const [i, { tag }] of group.entries()) {
      if (!taken.has(i)) left.set(tag, [...(left.get(tag) ?? []), i]);
    }
    for (const [j, { item, index }] of came.entries()) {
      const at = matches[j] ?? -1;
      const found = group[at];
      if (found !== undefined) {
        placed.push({ wanted: found, index });
        continue;
      }
      if (item.isDoubtful) continue;
      const late = left.get(tagFor(item))?.shift();
      if (late !== undefined) taken.add(late);
      fault(late === undefined ? 'repeated' : 'reordered', item.at, `${item.where}: ${tagFor(item)}`);
    }
    places.push(...placed);
    missing.push(...group.filter((_, i) => !taken.has(i)));
  }
  places.sort((a, b) => a.index - b.index);
  if (stream.topic === undefined) for (const each of disorder(places)) fault('reordered', each.at, each.tag);
  const idle = judgeGaps(stream, places, missing, fault);
  return {
    owed: wanted.filter(({ isOwed }) => isOwed).length,
    delivered: deliveries.length,
    gaps: items.filter((each) => each.kind === 'gap' && !each.isOwn).length,
    faults,
    idle,
    missing: missing.filter(({ isOwed }) => isOwed).map(({ tag }) => tag),
  };
}

/** Finds what is missing without a gap in its place; returns the gaps that stand where nothing is missing. */
function judgeGaps(
  { topic, items, isWhole, opensAt }: Stream,
  places: readonly Place[],
  missing: readonly Wanted[],
  fault: (kind: FaultKind, at: number, detail: string) => void,
): Gap[] {
  const gaps = items.flatMap((item, index) => (item.kind === 'gap' ? [{ gap: item, index }] : []));
  const needed = new Set<Gap>();
  const lost: { wanted: Wanted; high: number }[] = [];
  for (const each of missing) {
    const { from: low, until: high } = boundsOf(each, places, topic);
    const inPlace = gaps.filter(({ gap, index }) => index > low && index < high && gap.at >= each.at);
    if (each.of.confirmedAt >= opensAt) for (const { gap } of inPlace) needed.add(gap);
    if (each.isOwed && inPlace.length === 0 && (high < Infinity || isWhole))
      lost.push({ wanted: each, high });
  }
  const late = new Set<Gap>();
  for (const { wanted, high } of lost) {
    const { publisher, n } = wanted.of.publish;
    const after = gaps.find(({ gap, index }) => index > high && !gap.isOwn && !needed.has(gap));
    if (after === undefined) fault('lost', wanted.at, `${publisher} ${n} (${wanted.tag})`);
    else {
      late.add(after.gap);
      fault(
        'late-gap',
        wanted.at,
        `${publisher} ${n} (${wanted.tag}): the gap ${after.gap.reason} comes after the next`,
      );
    }
  }
  return gaps.map(({ gap }) => gap).filter((gap) => !gap.isOwn && !needed.has(gap) && !late.has(gap));
}

/** Between which of those that are placed it stands. */
function boundsOf(each: Wanted, places: readonly Place[], topic: string | undefined) {
  let [from, until] = [-1, Infinity];
  const mine = each.of.publish.publisher;
  for (const place of places) {
    // Of another publisher only what is certain tells.
    if (!place.wanted.isUnique && place.wanted.of.publish.publisher !== mine) continue;
    if (precedes(place.wanted, each, topic)) from = Math.max(from, place.index);
    else if (precedes(each, place.wanted, topic)) until = Math.min(until, place.index);
  }
  return { from, until };
}

/** Whether `a` stands before `b` wherever both are delivered. A topic has an order for each publisher only. */
function precedes(a: Wanted, b: Wanted, topic: string | undefined): boolean {
  const [first, second] = [a.of.publish, b.of.publish];
  if (first.publisher === second.publisher) return first.n < second.n;
  return topic === undefined && a.of.outcome === 'routed' && a.of.confirmedAt < second.at;
}

/** Events that came after one that was published when they had been confirmed. */
function disorder(places: readonly Place[]): { at: number; tag: string }[] {
  let newest = -Infinity;
  return places.flatMap(({ wanted }) => {
    if (!wanted.isUnique) return [];
    const isBehind = wanted.of.confirmedAt < newest;
    newest = Math.max(newest, wanted.of.publish.at);
    return isBehind ? [wanted] : [];
  });
}

/** What could come in this stream, and how a delivery is known. */
function expected(stream: Stream): { wanted: Wanted[]; tagFor: (item: Delivery) => string } {
  const ids = new Set<string>();
  const aliases = new Map<string, string>();
  const like = new Map<string, number>();
  const all = stream.published.map(({ of, names }) => {
    const { publish, outcome, confirmedAt } = of;
    const tag = tagOf(publish.id, names[0] ?? '', publish.data);
    for (const name of names)
      if (publish.id === undefined) aliases.set(tagOf(undefined, name, publish.data), tag);
    // Who gives two messages one id has them taken for one.
    const isFirst = publish.id === undefined || !ids.has(publish.id);
    if (publish.id !== undefined) ids.add(publish.id);
    const isDue = publish.at >= stream.beginsAt && confirmedAt <= stream.endsAt;
    like.set(tag, (like.get(tag) ?? 0) + 1);
    return { of, tag, at: publish.at, isOwed: outcome === 'routed' && isFirst && isDue };
  });
  const wanted = all.map((each) => ({ ...each, isUnique: like.get(each.tag) === 1 }));
  const tagFor = ({ id, name, data }: Delivery): string => {
    if (!isMade(id) && ids.has(id)) return tagOf(id, name, data);
    const tag = tagOf(undefined, name, data);
    return aliases.get(tag) ?? tag;
  };
  return { wanted, tagFor };
}

/** By publisher; publishers whose messages cannot be told apart are one. */
function groups(wanted: readonly Wanted[]): Wanted[][] {
  const groupOf = new Map<string, Wanted[]>();
  const byTag = new Map<string, Wanted[]>();
  for (const each of wanted) {
    const { publisher } = each.of.publish;
    const mine = groupOf.get(publisher) ?? [];
    const other = byTag.get(each.tag) ?? mine;
    if (other !== mine) {
      other.push(...mine);
      for (const [name, group] of groupOf) if (group === mine) groupOf.set(name, other);
      for (const [tag, group] of byTag) if (group === mine) byTag.set(tag, other);
    }
    other.push(each);
    groupOf.set(publisher, other);
    byTag.set(each.tag, other);
  }
  const found = [...new Set(groupOf.values())].map((group) => group.sort(inOrder));
  // Those whose messages are alike last: the others tell where they stand.
  return found.sort((a, b) => Number(isAlike(a)) - Number(isAlike(b)));
}

const isAlike = (group: readonly Wanted[]): boolean => group.some(({ isUnique }) => !isUnique);

const inOrder = (a: Wanted, b: Wanted): number =>
  a.of.publish.publisher === b.of.publish.publisher ? a.of.publish.n - b.of.publish.n : a.at - b.at;

function withGaps(
  items: readonly Item[],
  came: readonly { readonly item: Delivery; readonly index: number }[],
  tagFor: (item: Delivery) => string,
) {
  return came.map(({ item, index }, j) => {
    const gaps = gapsIn(items, (came[j - 1]?.index ?? -1) + 1, index);
    return { tag: tagFor(item), at: item.at, gaps, isDoubtful: item.isDoubtful, index };
  });
}

/** The gaps among these. */
const gapsIn = (items: readonly Item[], from: number, until = items.length): GapAt[] => {
  const found: GapAt[] = [];
  for (let index = from; index < until; index++) {
    const item = items[index];
    if (item?.kind === 'gap') found.push({ index, at: item.at });
  }
  return found;
};
