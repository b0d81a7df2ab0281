import type { Condition, Policy, Undelivered } from '../log.js';
import { type Gap, type Item, isMade } from './items.js';
import { type Connection, isCounted, type Life, type Seen, windowOf } from './lives.js';
import { type Published, tagOf } from './published.js';
import type { Stream } from './stream.js';

/** How long after its end a condition may still be noticed. */
const echoMs = 30_000;

/** In these a broker, or an edge's way to it, was away or lost what it held: the edge cannot know what it missed. */
export const brokerConditions: readonly string[] = [
  'edge-without-broker',
  'edge-without-broker-for-long',
  'edge-cut',
  'edge-way-frozen',
  'edge-hears-nothing',
  'edge-stalled',
  'broker-emptied',
  'broker-restarted',
  'broker-frozen',
  'connections-closed',
  'events-exchange-deleted',
  'permission-lost',
  'node-killed',
  'node-frozen',
  'node-parted',
  'nodes-restarted-in-turn',
  'node-left',
  'memory-alarm',
  'disk-alarm',
  'session-queue-deleted',
  'topic-queue-deleted',
];

/**
 * Whether a gap with nothing missing in its place is of a kind that PROTOCOL.md lists: where the edge cannot know, it tells.
 * - a topic after a lost socket (`connection-lost`), whatever was published meanwhile; also where the old socket of a move ends without `moved`
 * - `session-expired` where the queue was gone (`resumed` is false), whatever it had held
 * - a topic (`broker-lost`, of one with history `history-lost`), and events whose queue was made anew, or of which
 *   the edge could not learn whether any was dropped, when the broker was away
 */
export function isListed(
  gap: Gap,
  topic: string | undefined,
  life: Life,
  conditions: readonly Condition[],
): boolean {
  const index = indexOf(gap, life.dialled);
  const connection = life.dialled[index];
  if (connection === undefined) return false;
  const isBroker = within(gap.at, conditions, brokerConditions);
  if (topic !== undefined) {
    const before = life.dialled[index - 1];
    const isOfMove = isOfUnendedMove(gap, connection, before);
    // Where it has said up to where it has the topic, a lost socket loses nothing.
    if (gap.reason === 'connection-lost' && (isOfMove || !hasSaidSince(connection, topic)))
      return isOfMove || isAfterLoss(connection, before) || isBroker;
    return (gap.reason === 'broker-lost' || gap.reason === 'history-lost') && isBroker;
  }
  if (gap.reason === 'session-expired' && connection.welcome?.resumed === false && index > 0) return true;
  return isBroker && (gap.reason === 'session-expired' || gap.reason === 'broker-lost');
}

/** What queues of sessions take. */
export interface Limits {
  /** Events; beside them there is room for a seal. */
  readonly maxLength: number | undefined;
  readonly policies: readonly Policy[];
}

/** A policy may have come into force, or gone, so long before its line, ms. */
const policyMs = 2_000;

/** With which the queue may have been filled between the two times, in events beside a seal. */
function lengthsBetween(fromAt: number, toAt: number, { maxLength, policies }: Limits): readonly number[] {
  const before = policies.findLast(({ at }) => at <= fromAt);
  const meanwhile = policies.filter(({ at }) => at > fromAt && at <= toAt + policyMs);
  const all = [...(before ? [before] : []), ...meanwhile].map((each) => each.maxLength);
  const shorter = all.flatMap((each) => (each === undefined ? [] : each - 1));
  const isWithout = before?.maxLength === undefined || all.includes(undefined);
  return [...(isWithout && maxLength !== undefined ? [maxLength] : []), ...shorter];
}

/**
 * Whether an `overflow` is the loss of the seal and nothing else: on attaching, or once an edge has its broker back, the queue may have
 * held exactly one event more than it takes, its seal's place. So the last of them was published before it was consumed, and the next, if
 * any, was not confirmed before that could be.
 */
export function isOfSealAlone(
  gap: Gap,
  life: Life,
  published: Stream['published'],
  limits: Limits,
  conditions: readonly Condition[],
): boolean {
  if (gap.reason !== 'overflow') return false;
  const timesOf = ({ frame, at }: Seen) =>
    published.filter(
      ({ of: { publish }, names }) =>
        publish.at <= at &&
        (isMade(String(frame.id))
          ? names.includes(String(frame.name)) &&
            tagOf(undefined, '', publish.data) === tagOf(undefined, '', frame.data)
          : publish.id === frame.id),
    );
  // Of an answer it is not known when it was published.
  const may = (seen: Seen | undefined, is: (of: Published) => boolean): boolean =>
    seen === undefined || seen.frame.t !== 'event' || timesOf(seen).some(({ of }) => is(of));
  return unconsumedBefore(gap, life, conditions).some(({ fromAt, toAt, frames }) => {
    const counts = [true, false].map((isRepeat) => countedOnce(frames, isRepeat));
    const lengths = lengthsBetween(fromAt, toAt, limits);
    return counts
      .flatMap((counted) => lengths.map((maxLength) => [counted[maxLength], counted[maxLength + 1]] as const))
      .some(
        ([last, next]) =>
          last !== undefined &&
          may(last, ({ publish }) => publish.at <= toAt) &&
          may(next, ({ confirmedAt }) => confirmedAt >= fromAt),
      );
  });
}

/** When the queue was consumed again, somewhere between the two times, and what came of it from then on. */
interface Unconsumed {
  readonly fromAt: number;
  readonly toAt: number;
  readonly frames: readonly Seen[];
}

/** After which the gap may be told before everything else. */
function unconsumedBefore(gap: Gap, { dialled }: Life, conditions: readonly Condition[]): Unconsumed[] {
  const index = indexOf(gap, dialled);
  const connection = dialled[index];
  if (connection === undefined) return [];
  const frames = dialled.slice(index).flatMap((each) => each.frames);
  const found: Unconsumed[] = [];
  if (connection.welcome?.resumed === true && isFirstOn(connection, gap)) {
    const helloAt = connection.frames.find(({ isSent }) => isSent)?.at ?? connection.open.at;
    found.push({ fromAt: helloAt, toAt: connection.welcomeAt ?? helloAt, frames });
  }
  const broken = begunLast(gap.at, conditions, brokerConditions, newSealMs);
  if (broken !== undefined)
    found.push({ fromAt: broken.at, toAt: gap.at, frames: frames.filter(({ at }) => at >= gap.at) });
  return found;
}

/**
 * What waited may have come by one connection after another; what comes again has been counted. An id that is made of the content
 * belongs to all that say the same: `isRepeat`: one that comes once more, flagged, is taken for one of before.
 */
function countedOnce(frames: readonly Seen[], isRepeat: boolean): readonly Seen[] {
  const ids = new Set<unknown>();
  return frames.filter(({ isSent, frame }) => {
    const mayBeAnother = !isRepeat && isMade(String(frame.id));
    if (isSent || !isCounted(frame) || (frame.redelivered === true && ids.has(frame.id) && !mayBeAnother))
      return false;
    ids.add(frame.id);
    return true;
  });
}

/** A new seal is planted within 5 s of what shows that the client has the gap. */
const newSealMs = 10_000;

/** Whether it is told first of all on a connection, and the last before told a gap as well, whose new seal may not have been planted. */
export function isOfGapBefore(gap: Gap, life: Life): boolean {
  const index = indexOf(gap, life.dialled);
  const [connection, before] = [life.dialled[index], life.dialled.slice(0, index).findLast(hasWelcome)];
  if (connection?.welcome?.resumed !== true || before === undefined) return false;
  const isOfEvents = ({ isSent, frame }: Seen) => !isSent && frame.t === 'gap' && frame.topic === undefined;
  const last = before.frames.findLast(isOfEvents);
  return (
    isFirstOn(connection, gap) && last !== undefined && last.at > (connection.welcomeAt ?? gap.at) - newSealMs
  );
}

/** In these an edge ends with its seals. */
const edgeConditions: readonly string[] = ['edge-killed'];

/**
 * Whether it is told first of all on a connection, or before what comes again, while an edge's own connection, or an edge, broke: with it
 * goes a seal on its way, and a seal that comes back to a full queue may be all that this drops. Or first of all since then, where the
 * session had come, or been told a gap, shortly before: its seal may not have been there yet.
 */
export function isOfBrokenWay(gap: Gap, life: Life, conditions: readonly Condition[]): boolean {
  const connection = connectionOf(gap, life);
  const isOfSeal = gap.reason === 'overflow' || gap.reason === 'broker-lost';
  const broken = begunLast(gap.at, conditions, [...brokerConditions, ...edgeConditions], newSealMs);
  if (!isOfSeal || connection === undefined || broken === undefined) return false;
  const isAttaching = connection.welcome?.resumed === true && isFirstOn(connection, gap);
  return isAttaching || comesAgain(connection, gap) || wasSealUnderWay(connection, gap, broken);
}

/** Nothing has come since the way was whole again, and the session's seal was new when it broke. */
function wasSealUnderWay({ frames, welcomeAt = 0 }: Connection, gap: Gap, { at, endAt }: Period): boolean {
  const wholeAt = endAt <= gap.at ? endAt : at;
  const came = frames.filter(({ isSent }) => !isSent);
  const isNew = (sinceAt: number) => sinceAt > at - newSealMs && sinceAt < gap.at;
  const isOfEvents = ({ t, topic }: Seen['frame']) => t === 'gap' && topic === undefined;
  return (
    !came.some(({ at: cameAt, frame }) => isCounted(frame) && cameAt > wholeAt && cameAt < gap.at) &&
    (isNew(welcomeAt) || came.some(({ at: toldAt, frame }) => isOfEvents(frame) && isNew(toldAt)))
  );
}

/** Longest that an edge holds what may follow a drop until it knows: one marker, and 5 s. */
const heldMs = 5_000;

/**
 * Whether an edge did not learn between which events something was dropped (PROTOCOL.md, section 7): it tells it before each that the broker
 * may have waited for, of those that it holds and of those that are on their way when it hears of it. So there is another gap that stands for
 * something, at most two windows away. `items`: of its stream; `idle`: its gaps where nothing is missing.
 */
export function isOfDropNearby(
  gap: Gap,
  items: readonly Item[],
  idle: ReadonlySet<Gap>,
  life: Life,
): boolean {
  const connection = connectionOf(gap, life);
  if (gap.reason !== 'overflow' || connection === undefined) return false;
  const most = 2 * (windowOf(connection) + 1);
  const at = items.indexOf(gap);
  return [-1, 1].some((step) => {
    let events = 0;
    for (let i = at + step; events <= most; i += step) {
      const item = items[i];
      if (item === undefined || Math.abs(item.at - gap.at) > heldMs) return false;
      if (item.kind === 'delivery') events += 1;
      else if (item.reason === gap.reason && item.connection === gap.connection && !idle.has(item))
        return true;
    }
    return false;
  });
}

/** What was dropped had been delivered: its acknowledgement came too late. So the application was told that it was not. */
const lateMs = 10_000;
export const isOfDelivered = (gap: Gap, undelivered: readonly Undelivered[]): boolean =>
  undelivered.some(({ at, why }) => why === gap.reason && at > gap.at - lateMs && at < gap.at + lateMs);

const connectionOf = (gap: Gap, { dialled }: Life): Connection | undefined => dialled[indexOf(gap, dialled)];

const indexOf = (gap: Gap, dialled: Life['dialled']): number =>
  dialled.findIndex(({ open }) => open.connection === gap.connection);

const isFirstOn = ({ frames }: Connection, gap: Gap): boolean =>
  !frames.some(({ at, isSent, frame }) => !isSent && isCounted(frame) && at < gap.at);

const comesAgain = ({ frames }: Connection, gap: Gap): boolean =>
  frames.find(({ at, isSent, frame }) => !isSent && isCounted(frame) && at >= gap.at)?.frame.redelivered ===
  true;

const hasWelcome = ({ welcome }: Connection): boolean => welcome !== undefined;

const hasSaidSince = ({ hello }: Connection, topic: string): boolean =>
  Array.isArray(hello?.topics) &&
  hello.topics.some(
    (each: { topic?: unknown; since?: unknown }) => each.topic === topic && each.since !== undefined,
  );

function isAfterLoss(connection: Connection, before: Connection | undefined): boolean {
  return before !== undefined && (before.close?.at ?? Infinity) <= (connection.welcomeAt ?? Infinity);
}

/** The old socket of a move ended without `moved`: what it brought last is unknown. */
const isOfUnendedMove = (gap: Gap, { open }: Connection, before: Connection | undefined): boolean =>
  before?.close !== undefined &&
  before.close.at > open.at &&
  before.close.at <= gap.at &&
  !before.frames.some(({ isSent, frame }) => !isSent && frame.t === 'moved');

const within = (...args: Parameters<typeof begunLast>): boolean => begunLast(...args) !== undefined;

/** From when to when a condition held; infinite: to the end of the log. */
interface Period {
  readonly at: number;
  readonly endAt: number;
}

/** The last of these conditions to begin that held at this time, or a while before. */
function begunLast(
  at: number,
  all: readonly Condition[],
  names: readonly string[],
  afterMs: number = echoMs,
): Period | undefined {
  const conditions = all.filter((each) => names.includes(each.name));
  const isEndOf = (name: string, begunAt: number) => (each: Condition) =>
    each.name === name && each.phase === 'end' && each.at >= begunAt;
  return conditions
    .filter(({ phase }) => phase === 'begin')
    .map((begun) => ({
      at: begun.at,
      endAt: conditions.find(isEndOf(begun.name, begun.at))?.at ?? Infinity,
    }))
    .findLast((period) => at >= period.at && at <= period.endAt + afterMs);
}
