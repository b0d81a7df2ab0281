import type { Condition, Line, Log, Undelivered } from '../log.js';
import { type Hole, judgeCalls } from './calls.js';
import { loadHeld, secondsDegraded } from './degraded.js';
import { acknowledgedEarly } from './early.js';
import { eventsOf } from './events.js';
import { handedEvents, handedMessages } from './handed.js';
import type { Gap } from './items.js';
import {
  isListed,
  isOfBrokenWay,
  isOfDelivered,
  isOfDropNearby,
  isOfGapBefore,
  isOfSealAlone,
} from './listed.js';
import { type Life, livesOf } from './lives.js';
import { type Published, publishedIn, tagOf } from './published.js';
import { type Fault, type FaultKind, judgeStream, type Stream } from './stream.js';
import { hasHistory, messagesOf, spellsOf } from './topics.js';

export interface Verdict {
  /** A good history. */
  readonly ok: boolean;
  readonly published: number;
  readonly sessions: number;
  readonly streams: number;
  /** Deliveries that were due, over all streams. */
  readonly owed: number;
  readonly delivered: number;
  /** Owed events of users that did not come, and those of them that came by `mesh.undelivered`. */
  readonly missing: number;
  readonly undelivered: number;
  readonly gaps: number;
  /** What clients asked, and how much of it was answered. */
  readonly asked: number;
  readonly answered: number;
  /** Seconds in which less than half was delivered of what came before anything was done. */
  readonly degraded: number;
  /** What was delivered a second while something was done, as a part of what was before; absent: nothing was. */
  readonly loadHeld?: number;
  readonly lost: number;
  readonly lateGaps: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly falseGaps: number;
  /** Those in streams that lost nothing. */
  readonly falseGapsWithoutLoss: number;
  /** Gaps in vain of the kinds that PROTOCOL.md lists. */
  readonly listedGaps: number;
  readonly foreign: number;
  /** Acknowledged before the application had it. */
  readonly early: number;
  /** Conditions that the run was about, and that the log does not show. */
  readonly notShown: readonly string[];
  readonly malformed: readonly string[];
  /** The first 200 faults. */
  readonly faults: readonly Fault[];
}

const shownFaults = 200;
/** How far an edge may be behind with a topic that a new session subscribes. */
const lagMs = 60_000;
/** Of an edge that has not been told another. */
const requestTimeoutMs = 30_000;

/** Judges a history from its log alone. */
export function judge({ lines, malformed }: Log): Verdict {
  const { lives, faults: badConnections } = livesOf(lines);
  const { published, faults: badPublishes } = publishedIn(lines);
  const resent = new Set(
    published.flatMap(({ isResent, publish }) => (isResent && publish.id !== undefined ? [publish.id] : [])),
  );
  const faults: Fault[] = [];
  const sums = {
    streams: 0,
    owed: 0,
    delivered: 0,
    missing: 0,
    undelivered: 0,
    gaps: 0,
    asked: 0,
    answered: 0,
    falseGapsWithoutLoss: 0,
    listedGaps: 0,
  };
  const run = lines.find((line) => line.kind === 'run');
  const timeoutMs = run?.requestTimeoutMs ?? requestTimeoutMs;
  const conditions = lines.filter((line): line is Condition => line.kind === 'condition');
  const limits = { maxLength: run?.maxLength, policies: lines.filter((line) => line.kind === 'policy') };
  const undelivered = bySession(lines);
  const holes = new Map<Life, readonly Hole[]>();
  for (const life of lives) {
    const calls = judgeCalls(life, timeoutMs);
    sums.asked += calls.asked;
    sums.answered += calls.answered;
    faults.push(...calls.faults, ...acknowledgedEarly(life));
    holes.set(life, calls.holes);
  }
  for (const { stream, life } of streamsOf(lives, published, resent)) {
    const verdict = judgeStream(stream);
    // Answers wait in the queue with the events: a gap may stand for one of them.
    const isOfAnswer = ({ at }: { at: number }): boolean =>
      stream.topic === undefined &&
      (holes.get(life) ?? []).some(({ from, until }) => from <= at && at <= until);
    const idle = verdict.idle.filter((gap) => !isOfAnswer(gap));
    const idleOnes = new Set(idle);
    const { found, others } = accounted(verdict.missing, undelivered.get(life.session) ?? []);
    const isUnknowable = (gap: Gap): boolean =>
      stream.topic === undefined &&
      (isOfGapBefore(gap, life) ||
        isOfBrokenWay(gap, life, conditions) ||
        isOfSealAlone(gap, life, stream.published, limits, conditions) ||
        isOfDelivered(gap, others) ||
        isOfDropNearby(gap, stream.items, idleOnes, life));
    const listed = idle.filter((gap) => isListed(gap, stream.topic, life, conditions) || isUnknowable(gap));
    const falseGaps = idle.filter((gap) => !listed.includes(gap));
    faults.push(...verdict.faults);
    for (const { at, reason, connection } of falseGaps) {
      faults.push({ kind: 'false-gap', stream: stream.name, at, detail: `${reason} on ${connection}` });
    }
    if (verdict.missing.length === 0) sums.falseGapsWithoutLoss += falseGaps.length;
    sums.streams++;
    sums.owed += verdict.owed;
    sums.delivered += verdict.delivered;
    if (stream.topic === undefined) {
      sums.missing += verdict.missing.length;
      sums.undelivered += found;
    }
    sums.gaps += verdict.gaps;
    sums.listedGaps += listed.length;
  }
  const count = (kind: FaultKind): number => faults.filter((each) => each.kind === kind).length;
  const notShown = conditionsNotShown(lines);
  const bad = [...malformed, ...badConnections, ...badPublishes];
  const held = loadHeld(lines);
  return {
    ok: faults.length === 0 && notShown.length === 0 && bad.length === 0,
    published: published.length,
    sessions: new Set(lives.map(({ uid, session }) => `${uid}.${session}`)).size,
    ...sums,
    degraded: secondsDegraded(lines) ?? 0,
    ...(held === undefined ? {} : { loadHeld: Math.round(held * 1_000) / 1_000 }),
    lost: count('lost'),
    lateGaps: count('late-gap'),
    repeated: count('repeated'),
    reordered: count('reordered'),
    falseGaps: count('false-gap'),
    foreign: count('foreign'),
    early: count('early'),
    notShown,
    malformed: bad,
    faults: faults.slice(0, shownFaults),
  };
}

function bySession(lines: readonly Line[]): Map<string, Undelivered[]> {
  const found = new Map<string, Undelivered[]>();
  for (const line of lines) {
    if (line.kind === 'undelivered') found.set(line.session, [...(found.get(line.session) ?? []), line]);
  }
  return found;
}

/** How many of those that are missing came by `mesh.undelivered` for their session, and what else came so: it had been delivered. */
function accounted(
  missing: readonly string[],
  undelivered: readonly Undelivered[],
): { found: number; others: Undelivered[] } {
  const left = new Map<string, number>();
  for (const tag of missing) left.set(tag, (left.get(tag) ?? 0) + 1);
  const others = undelivered.filter(({ id, key, data }) => {
    const tag = tagOf(id, key.split('.').slice(2).join('.'), data);
    const count = left.get(tag) ?? 0;
    left.set(tag, count - 1);
    return count <= 0;
  });
  return { found: undelivered.length - others.length, others };
}

function* streamsOf(
  lives: readonly Life[],
  published: readonly Published[],
  resent: ReadonlySet<string>,
): Generator<{ stream: Stream; life: Life }> {
  for (const life of lives) {
    const { name, beginsAt, endsAt, isWhole, sessionAt } = life;
    const goneAt = life.connections.at(-1)?.close?.at ?? Number.POSITIVE_INFINITY;
    const ofTime = published.filter(({ publish: { at } }) => at >= sessionAt - lagMs && at <= goneAt);
    const opensAt = sessionAt;
    const common = { opensAt, beginsAt, endsAt, isWhole };
    const { handed } = life;
    const ofUser = handed ? handedEvents(life, handed, resent) : eventsOf(life, resent);
    const events = { name: `events of ${name}`, topic: undefined, items: ofUser };
    yield { life, stream: { ...common, ...events, published: under(ofTime, `user.${life.uid}.`) } };
    for (const spell of spellsOf(life)) {
      const { topic } = spell;
      const ofTopic = handed ? handedMessages(life, handed, spell, resent) : messagesOf(spell, resent);
      const stream = { name: `topic ${topic} at ${name}`, topic, items: ofTopic };
      // Of a history what was published long ago may be asked for.
      const toTopic = (hasHistory(spell) ? published : ofTime)
        .filter(({ publish }) => publish.keys.includes(`topic.${topic}`))
        .map((of) => ({ of, names: [topic] }));
      const { beginsAt, endsAt, isWhole } = spell;
      yield { life, stream: { ...stream, opensAt, beginsAt, endsAt, isWhole, published: toTopic } };
    }
  }
}

/** What was published to a user, with the names that its keys have for it. */
const under = (published: readonly Published[], prefix: string): Stream['published'] =>
  published
    .map((of) => ({
      of,
      names: of.publish.keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)),
    }))
    .filter(({ names }) => names.length > 0);

function conditionsNotShown(lines: readonly Line[]): string[] {
  const wanted = lines.flatMap((line) => (line.kind === 'run' && line.condition ? [line.condition] : []));
  const shown = lines.filter(
    (line): line is Condition => line.kind === 'condition' && line.phase === 'shown',
  );
  return wanted.filter((name) => !shown.some((each) => each.name === name));
}
