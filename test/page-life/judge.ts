import type { Entry, PagesLog, Published } from './log.js';

/** What an edge sends ahead: as much as a page can have handled without the edge's having heard of it. */
const window = 64;
/** An acknowledgement is on its way long before; unless something happens to the page. */
const ackMs = 1_000;
/** What may keep a page from acknowledging. */
const cuts = new Set(['pagehide', 'freeze', 'offline', 'crash', 'disconnected', 'closed']);

/**
 * `claimed`: a page went on over what another page of its session has handled; `lost`: nobody has handled it, and nobody
 * was told; `stalled`: a client that lives has not got the last; `closed`: a client that nobody closed.
 */
type Rule = 'claimed' | 'lost' | 'repeated' | 'reordered' | 'stalled' | 'closed';

export interface Fault {
  readonly rule: Rule;
  readonly session: string;
  /** Page and number of the client. */
  readonly client: string;
  readonly why: string;
}

export interface Verdict {
  readonly faults: readonly Fault[];
  readonly events: number;
  readonly gaps: number;
  /** Handled by a page, and by the next one again: the first had no time to acknowledge. */
  readonly again: number;
  /** How often a page came back from the page cache. */
  readonly persisted: number;
}

/** One client of one page. */
class Instance {
  readonly name: string;
  readonly handledAt = new Map<number, number>();
  readonly cutAt: number[] = [];
  last: number | undefined;
  /** A gap was told since the last event. */
  isTold = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether it may have ended before it could acknowledge `n`. */
  couldNotAcknowledge(n: number): boolean {
    return (this.last ?? 0) - n < window && this.isCutAfter(this.handledAt.get(n));
  }

  /** Whether something kept it from acknowledging what it handled at this time. */
  isCutAfter(at = Number.NEGATIVE_INFINITY): boolean {
    return this.cutAt.some((cut) => cut >= at && cut <= at + ackMs);
  }
}

/** One session over all the pages that have had it. */
interface Session {
  readonly by: Map<number, Instance>;
  /** Those that were marked as handled before, maybe, when a page first handled them. */
  readonly marked: Set<number>;
  /** The last that was handled. */
  high: number | undefined;
  /** What was published before its queue was made is not owed; 0: nobody has seen it made. */
  floor: number;
}

/**
 * What the pages of a browser have handled, against what was published: each event once and in order by some page of each
 * session, or told by a gap to the page that goes on; and no page goes on as if it had handled what another has.
 */
export function judgePages({ published, entries, living }: PagesLog): Verdict {
  const instances = new Map<string, Instance>();
  const sessions = new Map<string, Session>();
  const faults: Fault[] = [];
  const counts = { events: 0, gaps: 0, again: 0, persisted: 0 };
  const instanceOf = (page: string, client: number): Instance => {
    const name = `${page}/${client}`;
    const instance = instances.get(name) ?? new Instance(name);
    instances.set(name, instance);
    return instance;
  };

  const inOrder = [...entries].sort((a, b) => a.at - b.at);
  // Known before the rest: a page whose session another takes learns of it when that one is at work already.
  for (const { page, client, what, type, at } of inOrder) {
    if (what !== 'page') instanceOf(page, client);
    if (!cuts.has(type ?? '') || what === 'event') continue;
    const isHit = (name: string) =>
      name === `${page}/${client}` || (what === 'page' && name.startsWith(`${page}/`));
    for (const [name, each] of instances) if (isHit(name)) each.cutAt.push(at);
  }
  for (const entry of inOrder) {
    const { page, client, what, type } = entry;
    if (what === 'page') {
      if (type === 'pageshow' && entry.persisted === true) counts.persisted += 1;
      continue;
    }
    const instance = instanceOf(page, client);
    const id = entry.session ?? '';
    const session = sessions.get(id) ?? { by: new Map(), marked: new Set(), high: undefined, floor: 0 };
    sessions.set(id, session);
    const found = (rule: Rule, why: string) => faults.push({ rule, session: id, client: instance.name, why });
    if (what === 'event') {
      counts.events += 1;
      if (handled(entry, instance, session, found)) counts.again += 1;
      continue;
    }
    if (type === 'gap') {
      counts.gaps += 1;
      instance.isTold = true;
    }
    if (type === 'connected' && entry.resumed === false) session.floor = firstAfter(published, entry);
    if (type === 'closed' && entry.reason !== undefined) found('closed', entry.reason);
  }

  for (const { page, client, user } of living) {
    const { name, last } = instanceOf(page, client);
    const due = published.findLast((each) => each.user === user)?.n;
    if (due !== undefined && last !== due)
      faults.push({ rule: 'stalled', session: '', client: name, why: `has ${last} of ${due}` });
  }
  return { faults, ...counts };
}

/** An event has come to a handler. True: once more, as it may. */
function handled(
  { n = 0, at, redelivered }: Entry,
  instance: Instance,
  session: Session,
  found: (rule: Rule, why: string) => void,
): boolean {
  const { last, isTold } = instance;
  const { high = 0, floor } = session;
  const before = session.by.get(n);
  let isAgain = false;
  if (last !== undefined && n <= last) {
    found(instance.handledAt.has(n) ? 'repeated' : 'reordered', `${n} after ${last} on one page`);
  } else if (last !== undefined && n > last + 1 && !isTold) {
    const other = session.by.get(last + 1);
    if (other) found('claimed', `${n} after ${last} without a gap: ${other.name} has handled ${last + 1}`);
    else found('lost', `${n} after ${last} without a gap`);
  } else if (before) {
    // Either of the two may be the first to handle what the other was sent: the one that goes on is told that it may be a repeat.
    isAgain =
      (redelivered === true && before.couldNotAcknowledge(n)) ||
      (session.marked.has(n) && instance.isCutAfter(at));
    if (!isAgain) found('repeated', `${n}, which ${before.name} has handled`);
  } else if (n <= high) {
    found('reordered', `${n} after ${high} of another page`);
  } else if ((high > 0 || floor > 0) && n > Math.max(high + 1, floor) && !isTold) {
    found('lost', `${n} after ${high} in the session, without a gap; owed from ${floor} on`);
  }
  instance.last = Math.max(n, last ?? n);
  instance.isTold = false;
  if (!before) {
    session.by.set(n, instance);
    instance.handledAt.set(n, at);
    if (redelivered === true) session.marked.add(n);
  }
  session.high = Math.max(n, session.high ?? n);
  return isAgain;
}

/** The first number that is owed to a queue which was new at `entry`. */
function firstAfter(published: readonly Published[], { user, at }: Entry): number {
  const own = published.filter((each) => each.user === user);
  return own.find((each) => each.at > at)?.n ?? (own.at(-1)?.n ?? 0) + 1;
}
