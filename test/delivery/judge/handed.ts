import type { Handed } from '../log.js';
import { type Gap, type Item, isMade } from './items.js';
import type { Connection, Life } from './lives.js';
import type { Spell } from './topics.js';

/** The events that a client has given to its application, as it did, and the gaps between them. */
export const handedEvents = (life: Life, handed: readonly Handed[], resent: ReadonlySet<string>): Item[] =>
  itemsOf(
    life,
    handed.filter(({ topic }) => topic === undefined),
    resent,
  );

/** The messages of a topic, and its gaps. */
export const handedMessages = (
  life: Life,
  handed: readonly Handed[],
  { topic, endsAt, connections }: Spell,
  resent: ReadonlySet<string>,
): Item[] => {
  const beginsAt = connections[0]?.open.at ?? Number.POSITIVE_INFINITY;
  const ofSpell = handed.filter((each) => each.topic === topic && each.at >= beginsAt && each.at <= endsAt);
  return itemsOf(life, ofSpell, resent);
};

/** A repeat of what a publisher may have sent twice is the publisher's. */
function itemsOf(life: Life, handed: readonly Handed[], resent: ReadonlySet<string>): Item[] {
  const twice = new Set<string>();
  const doubtful = doubtfulIn(life);
  return handed.flatMap((each, n): Item[] => {
    if (each.what === 'gap') return [gapOf(life, each)];
    const { at, id = '', name, topic, data, redelivered } = each;
    if (twice.has(id)) return [];
    if (resent.has(id)) twice.add(id);
    const isDoubtful = isMade(id) && redelivered === true && doubtful.has(id);
    const where = `handed ${n + 1} of ${topic ?? 'events'}`;
    return [{ kind: 'delivery', at, id, name: name ?? topic ?? '', data, isDoubtful, where }];
  });
}

/** Ids of events that came marked as repeats, without the place of the original. */
function doubtfulIn({ dialled }: Life): ReadonlySet<string> {
  const frames = dialled.flatMap((each) => each.frames);
  const those = frames.filter(
    ({ isSent, frame }) => !isSent && frame.redelivered === true && frame.again === undefined,
  );
  return new Set(those.map(({ frame }) => String(frame.id)));
}

/**
 * Told by the last connection that had it, or the client's own conclusion: of a topic, that it lost the socket before the newest one
 * (`connection-lost`), or that it could not tell what a move left out (`unknown`).
 */
function gapOf({ dialled }: Life, { at, topic, reason = '' }: Handed): Gap {
  const isTold = ({ frames }: Connection): boolean =>
    frames.some(
      (each) =>
        !each.isSent &&
        each.at <= at &&
        each.frame.t === 'gap' &&
        each.frame.topic === topic &&
        each.frame.reason === reason,
    );
  const told = dialled.findLast(isTold);
  const newest = dialled.findLast(({ open }) => open.at <= at);
  const isOwn = told === undefined && topic !== undefined && reason === 'unknown';
  const of = reason === 'connection-lost' ? newest : (told ?? newest);
  return { kind: 'gap', at, reason, connection: of?.open.connection ?? '', isOwn };
}
