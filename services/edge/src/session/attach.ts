import { sleep, steadyNow } from '@evenkeel/pace';
import { type CloseCode, closeCodes, type GapReason, gapReasons } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { EdgeConfig } from '../config.js';
import type { SessionAccess } from './access.js';
import { generationOf } from './connection-ids.js';
import type { Custody } from './custody.js';
import type { Entrance } from './entrance.js';
import type { HelloFrame } from './inbox.js';
import type { Left } from './left-behind.js';
import type { Handover, HandoverAnswer, SessionPorts, SessionQueue } from './ports.js';
import type { Position } from './position.js';
import { anybody, type Release, type Successor } from './release.js';
import type { SessionState } from './states.js';
import type { Subscriptions } from './subscriptions.js';
import { type SealLeft, type Vouch, vouchFor, vouchOf } from './vouch.js';
import type { LeftWritten } from './written-before.js';

/** How a session's queue was found when it was attached. */
export interface Found extends LeftWritten {
  /** The queue was there already. */
  isResumed: boolean;
  /** What the client is to be told, beside what its seal will show. */
  missed: GapReason | undefined;
  /** Which of them were written to which connection. */
  position?: Position | undefined;
  /** Messages that waited in it. */
  queued?: number;
  /** Requests whose answers had begun there and not ended. */
  streams?: readonly string[] | undefined;
  /** Up to where the edge that had it has sent topics with history. */
  history?: Readonly<Record<string, string>> | undefined;
}

/** What was written to the connection that the client names. */
export function placesOf(
  { position }: Found,
  { last }: HelloFrame,
): { seq: number; count: number } | undefined {
  return position && last?.connection === position.connection ? { ...position } : undefined;
}

/** Thrown when the session cannot be had; `code` says which close code the connection gets. */
export class AttachError extends Error {
  readonly code: 'stale-ticket' | 'takeover-failed';
  constructor(code: AttachError['code']) {
    super(code);
    this.name = 'AttachError';
    this.code = code;
  }

  /** What its connection is closed with. */
  get why(): CloseCode {
    return this.code === 'stale-ticket' ? closeCodes.staleTicket : closeCodes.takeoverFailed;
  }
}

export interface AttachOptions extends Pick<AcquireOptions, 'claims' | 'queue' | 'begin' | 'isLive'> {
  /** Who sees to it until it has begun. */
  readonly custody: Pick<Custody, 'inherit' | 'keep' | 'heard'>;
  readonly hello: HelloFrame;
  /** The connection that has had the session here until now. */
  readonly previous:
    | { readonly state: SessionState; release(mode: 'resume', successor: Successor): Promise<Release> }
    | undefined;
  readonly subscriptions: Pick<Subscriptions, 'join' | 'tell'>;
  readonly access: Pick<SessionAccess, 'wasHeld' | 'placed'>;
  readonly ports: Pick<SessionPorts, 'handover' | 'life' | 'leftBehind' | 'entrance'>;
  readonly config: EdgeConfig;
  /** From now on it is this edge and RabbitMQ, and nobody else who is asked, that take its time. */
  onOwnTime(): void;
}

/**
 * Makes the session this connection's: its topics first, then whatever an earlier connection has, here or elsewhere, and its
 * queue.
 * @throws AttachError; BrokerError without the broker; what keeps a topic from being bound.
 */
export async function attach(options: AttachOptions): Promise<Found> {
  const { claims, hello, previous, queue, subscriptions, access, ports, config } = options;
  const key = `${claims.uid}.${claims.sid}`;
  const missed = missedOfTopics(hello, claims.move !== undefined);
  access.placed.present(hello.topics ?? []);
  await Promise.all((hello.topics ?? []).map((topic) => subscriptions.join(topic, undefined, missed)));
  options.onOwnTime();
  // Else another edge has it by now.
  const isHere = previous?.state !== 'moved';
  const released = await previous?.release('resume', anybody);
  const predecessor = released?.isUnheld ? undefined : released;
  if (predecessor) options.custody.inherit(predecessor);
  access.wasHeld(predecessor?.pass, predecessor?.newPass);
  access.placed.adopt(predecessor?.placed);
  await Promise.all([ports.life.ending(key), claims.move ?? queue.sealIsBack()]);
  let history: Found['history'];
  let queued = 0;
  const found = await acquire({
    claims,
    hello,
    queue,
    handover: ports.handover,
    entrance: ports.entrance,
    node: config.node,
    limits: config,
    predecessor: isHere ? predecessor : undefined,
    left: ports.leftBehind.of(key),
    // Without a move each is told anyway.
    onDoubt: (topics) => claims.move && subscriptions.tell(topics, gapReasons.connectionLost),
    onPlaced: (topics) => access.placed.adopt(topics),
    onHistory: (sent) => {
      history = sent;
    },
    onQueued: (messages) => {
      queued = messages;
    },
    onReleased: (release) => options.custody.inherit(release),
    onLeft: (answer) => options.custody.keep(answer),
    onSaid: (answer) => options.custody.heard(answer),
    begin: (vouch) => {
      ports.leftBehind.take(key);
      options.begin(vouch);
    },
    isLive: options.isLive,
    onOwnTime: options.onOwnTime,
  });
  return { ...found, history, queued };
}

/** Nobody wants the session here any more that is being attached with these claims. */
export function callOff(
  claims: TicketClaims,
  { handover, entrance }: Pick<SessionPorts, 'handover' | 'entrance'>,
): void {
  handover.abandon(claims);
  entrance.callOff(claims);
}

export interface AcquireOptions {
  readonly claims: TicketClaims;
  readonly hello: Pick<HelloFrame, 'resume' | 'awayMs' | 'last'>;
  readonly queue: SessionQueue;
  readonly handover: Handover;
  readonly entrance: Pick<Entrance, 'enter' | 'aside'>;
  /** This edge. */
  readonly node: string;
  readonly limits: Pick<
    EdgeConfig,
    'sessionMaxLength' | 'ackTimeoutMs' | 'sessionLifetimeMs' | 'takeoverTimeoutMs'
  >;
  /** An earlier connection here, which has let the session go. */
  readonly predecessor: Omit<Known, 'isFromOlder'> | undefined;
  /** What this edge remembers, when nobody has the session. */
  readonly left?: Left | undefined;
  /** What is known of the queue's head; called once, before the queue is consumed. */
  begin(vouch: Vouch): void;
  /** Whoever had it has let it go, to here. */
  onReleased(release: Release): void;
  /** So has this one, or a while ago, and it does not begin here. */
  onLeft?(answer: HandoverAnswer): void;
  /** Nobody has it: so one edge had left it, and says so once. Undefined: somebody has had it since, or it has gone. */
  onSaid?(answer: HandoverAnswer | undefined): void;
  /** Topics whose gap the edge that had the session could not tell. */
  onDoubt(topics: readonly string[]): void;
  /** Up to where the edge that had the session has sent topics with history. */
  onHistory?(sent: Readonly<Record<string, string>>): void;
  /** Messages that wait in the queue. */
  onQueued?(messages: number): void;
  /** Topics that services have put the session into, as who had it says. */
  onPlaced?(topics: readonly string[]): void;
  /** False once nobody wants the session any more. */
  isLive(): boolean;
  /** Others have answered. */
  onOwnTime?(): void;
}

/** What the last holder has said. */
interface Known extends SealLeft, LeftWritten {
  readonly position?: Position | undefined;
  readonly streams?: readonly string[] | undefined;
  /** The number of its queue; undefined: 0, as far as is known. */
  readonly generation?: number | undefined;
  readonly home?: string | undefined;
  /** An older edge may have had it: it knows no seals. */
  readonly isFromOlder: boolean;
}

/** An exclusive queue of a dead edge goes at the same time as its unacknowledged messages come back; leave it this margin. */
const deadEdgeGraceMs = 100;
/** How long edges have to answer when nobody knows which of them holds the session; then it is looked whether anybody does. */
const searchMs = 500;
/** Nodes of a ticket that are asked; a gateway names fewer. */
const maxHolders = 4;

/**
 * Makes sure that nobody else consumes the session's queue, and that it exists. After it, this edge may consume.
 *
 * `basic.cancel` alone is no ordered hand-off: the broker serves the next consumer while the last one still
 * holds unacknowledged messages. So this edge consumes only after the holder has said `released`, or the broker that nobody
 * consumes (then it has put everything back in its place in one step). That nobody answers proves nothing.
 * @throws AttachError; BrokerError without the broker.
 */
export async function acquire(options: AcquireOptions): Promise<Found> {
  const { claims, handover, node, predecessor, isLive } = options;
  if (claims.isNew) return await inTurn(options, undefined, () => make(options));
  if (predecessor) options.queue.isAt(predecessor.generation ?? 0, predecessor.home);
  else
    options.queue.mayBeAt([{ generation: generationOf(options.hello.last?.connection) }, options.left ?? {}]);
  let isUnreachable = false;
  let known: Known | undefined = predecessor && { ...predecessor, isFromOlder: isOlder(predecessor) };
  if (!predecessor && claims.from) {
    const answers = await Promise.all(
      holders(claims.from, node).map((holder) => handover.ask(claims, holder, isLive)),
    );
    if (answers.some(({ outcome }) => outcome === 'refused')) throw new AttachError('stale-ticket');
    const released = answers.find(({ outcome }) => outcome === 'released');
    if (answers.some(({ outcome }) => outcome === 'silent')) {
      const unknown = answers.filter(({ outcome }) => outcome === 'unknown');
      const wasAway = handover.wasAway(claims) ? (unknown.find(hasLeft) ?? unknown[0]) : undefined;
      const left = released ?? wasAway;
      if (left) options.onLeft?.(left);
      throw new AttachError('takeover-failed');
    }
    if (released) heed(released, options);
    else {
      options.queue.mayBeAt(answers);
      options.onSaid?.(answers.find(hasLeft) ?? answers.find(({ owed }) => owed !== undefined));
    }
    // The holder has just consumed this queue, so it exists and is bound: a move costs no metadata.
    if (released && claims.move && !released.isFull) return take(options, released);
    const isFromOlder = released
      ? isOlder(released)
      : answers.some(({ outcome, knowsSeals }) => outcome === 'unknown' && !knowsSeals);
    known = released ? { ...released, isFromOlder } : { ...leftTo(options, answers), isFromOlder };
    isUnreachable = answers.some(({ outcome }) => outcome === 'unreachable');
    if (isUnreachable) await sleep(deadEdgeGraceMs);
  }
  const before = known ?? { ...leftTo(options, []), isFromOlder: false };
  return await inTurn(options, known, () => find(options, before, isUnreachable));
}

/** RabbitMQ has as many of them at a time as it gets done soon. */
async function inTurn(
  { claims, entrance, isLive, onOwnTime }: AcquireOptions,
  known: Known | undefined,
  work: () => Promise<Found>,
): Promise<Found> {
  const called = { isResumed: !claims.isNew, missed: undefined, suspect: known?.suspect };
  if (!isLive()) return called;
  onOwnTime?.();
  return (await entrance.enter(claims, async () => (isLive() ? await work() : called))) ?? called;
}

/** What another edge says that has let the session go. */
function heed(
  released: HandoverAnswer,
  { queue, onReleased, onDoubt, onHistory, onPlaced }: AcquireOptions,
): void {
  const { outcome: _, knowsSeals: __, ...release } = released;
  onReleased(release);
  queue.isAt(released.generation ?? 0, released.home);
  if (released.doubt) onDoubt(released.doubt);
  if (released.history) onHistory?.(released.history);
  if (released.placed) onPlaced?.(released.placed);
}

/**
 * Nobody has the session: the head of its queue, as it was when the connection that the client names was lost. Where it names none, or that
 * edge is sure of no position, one that speaks alone is believed: of two, one has had the session before the other.
 */
function leftTo(
  { hello: { last }, left }: AcquireOptions,
  answers: readonly HandoverAnswer[],
): Pick<Known, 'position' | 'suspect' | 'ids' | 'owed' | 'seal'> {
  const isThis = ({ position }: Pick<Known, 'position'>) => position?.connection === last?.connection;
  const all = [...(left ? [left] : []), ...answers];
  const { position, suspect } = all.find(isThis) ?? {};
  const [only, ...others] = all.filter(hasLeft);
  const alone =
    others.length === 0 && (last === undefined || only?.position === undefined) ? only : undefined;
  const { owed, seal } =
    all.find((each) => each.owed !== undefined) ?? (last && all.find(isThis)) ?? alone ?? {};
  const ids = all.find((each) => each.ids !== undefined)?.ids;
  return {
    ids,
    ...(last === undefined ? { suspect: undefined } : { position, suspect }),
    ...(owed && { owed }),
    // Of an edge of before it may name one that is to put it back: it has.
    ...(seal && { seal: seal.isWatched ? seal : { ...seal, at: undefined } }),
  };
}

/** It has had the session, and nobody has asked since. */
const hasLeft = ({ position, ids, generation, home, seal }: HandoverAnswer | Left): boolean =>
  (position ?? ids ?? generation ?? home ?? seal) !== undefined;

/** It has left neither a seal nor word of a gap: it knows no seals, or had the queue of an edge that does not. */
const isOlder = ({ seal, owed }: SealLeft): boolean => seal === undefined && owed === undefined;

/** There is no queue yet, or not any more, or it is lost. */
async function make({ claims, hello, queue, begin }: AcquireOptions): Promise<Found> {
  // Only who had the session can miss something: a first attempt that failed halfway leaves a session id and no more.
  const reason = queue.isLost ? gapReasons.brokerLost : gapReasons.sessionExpired;
  const missed = hello.resume ? reason : undefined;
  const vouch: Vouch = missed === undefined ? { is: 'fresh' } : { is: 'told', reason: missed };
  await queue.make(() => begin(vouch), claims.isNew ? undefined : false);
  return { isResumed: queue.isLost, missed, suspect: 0 };
}

/** A moved session, from who has just let it go. */
function take({ queue, begin }: AcquireOptions, answer: HandoverAnswer): Found {
  const { seal, owed, suspect, ids, position, streams } = answer;
  if (seal === undefined && owed === undefined) {
    begin({ is: 'unwatched' });
  } else {
    // Of one whose seal is still to be planted nobody has said so: a crowd's queue takes replies from its seal on.
    if (seal?.at === undefined) queue.isMade();
    begin(vouchOf(answer));
  }
  return { isResumed: true, missed: owed, suspect, ids, ...(owed === undefined && { position }), streams };
}

/** `isUnreachable`: an edge that may have had it. */
async function find(options: AcquireOptions, before: Known, isUnreachable: boolean): Promise<Found> {
  const { claims, hello, queue, handover, entrance, limits, begin } = options;
  let found = await queue.check();
  let known = before;
  const endsAtMs = steadyNow() + limits.takeoverTimeoutMs;
  // Of a queue that is lost nobody can tell who consumes it: who has the session is about to make the next one. So is an edge that has
  // lost the broker together with this one, if the broker came back without the queue.
  let isToBeAsked = queue.isLost || (isUnreachable && found === undefined);
  while (isToBeAsked || (found && found.consumers > 0)) {
    // Somebody holds it whom the ticket does not name, or who cannot be asked.
    const answer = await entrance.aside(async () => {
      const said = await handover.search(claims, searchMs);
      options.onOwnTime?.();
      return said;
    });
    if (answer.outcome === 'refused') throw new AttachError('stale-ticket');
    if (answer.outcome === 'released') {
      known = { ...answer, isFromOlder: isOlder(answer) };
      heed(answer, options);
      if (isToBeAsked) found = await queue.check();
      break;
    }
    known = { suspect: undefined, isFromOlder: before.isFromOlder };
    options.onSaid?.(undefined);
    if (!options.isLive()) return { isResumed: true, missed: undefined, suspect: undefined };
    isToBeAsked = false;
    // Behind a consumer that lives, events would come out of order: only the broker can tell that it does not.
    if (steadyNow() >= endsAtMs) throw new AttachError('takeover-failed');
    found = await queue.check();
  }
  if (!found) {
    options.onSaid?.(undefined);
    return await make(options);
  }
  options.onQueued?.(found.messages);
  // Bound again even when found: its first edge may have died between declaring and binding.
  const isOfOlder = await queue.make(undefined, true);
  const { suspect, ids, position, streams, owed, seal } = known;
  const isNew = hello.resume !== true;
  if (owed !== undefined && !isNew) {
    begin(vouchOf(known));
    // Without a seal nobody knows what was dropped since, and so which delivery had which place.
    return { isResumed: true, missed: owed, suspect, ids, streams };
  }
  if (isOfOlder || known.isFromOlder) {
    const missed = missedUnsealed(hello, found.messages, limits);
    if (isOfOlder) begin({ is: 'unwatched' });
    else begin(missed === undefined ? { is: 'fresh' } : { is: 'told', reason: missed });
    return { isResumed: true, missed, suspect, ids };
  }
  // Who begins has missed nothing, and looks for none that is on its way.
  const isLookedFor = owed === undefined && !(isNew && seal?.at);
  begin(vouchFor(isLookedFor ? seal : undefined, isNew));
  return { isResumed: true, missed: undefined, suspect, ids, position, streams };
}

/** The nodes a ticket names, without this one (a session held here has been released before). */
const holders = (from: string, self: string): string[] =>
  [...new Set(from.split(','))].filter((node) => node !== '' && node !== self).slice(0, maxHolders);

/** What a client that says hello may have missed of each of its topics. */
export function missedOfTopics(hello: HelloFrame, isMove: boolean): GapReason | undefined {
  return hello.resume && !isMove ? gapReasons.connectionLost : undefined;
}

/** What a client may have missed of a queue that no seal vouches for: by its length, and by the time that events lived in it. */
function missedUnsealed(
  { awayMs = 0 }: AcquireOptions['hello'],
  messages: number,
  { sessionMaxLength, ackTimeoutMs, sessionLifetimeMs }: AcquireOptions['limits'],
): GapReason | undefined {
  if (messages >= sessionMaxLength) return gapReasons.overflow;
  // An event may have been unacknowledged that long before the connection was lost.
  return awayMs + ackTimeoutMs >= sessionLifetimeMs ? gapReasons.expired : undefined;
}
