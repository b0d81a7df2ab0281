import type { Frame } from '../log.js';
import { received } from './events.js';
import type { Connection, Life } from './lives.js';
import type { Fault } from './stream.js';

/** A request that a client has sent. */
interface Call {
  readonly id: string;
  readonly at: number;
  readonly connection: Connection;
  /** Which of the frames that `received` of `moved` counts it is. */
  readonly ordinal: number;
  readonly method: string;
  readonly data: unknown;
}

/** What has come of an answer. */
interface Progress {
  /** Parts that came, by number. */
  readonly had: Set<number>;
  /** Below this every part has come, or a gap stood in its place. */
  next: number;
  lastAt: number;
  end: Frame | undefined;
}

/** A time in which something of an answer went missing, which a gap of the events may stand for. */
export interface Hole {
  readonly from: number;
  readonly until: number;
}

export interface CallsVerdict {
  readonly holes: readonly Hole[];
  readonly asked: number;
  readonly answered: number;
  readonly faults: readonly Fault[];
}

/** Beyond the time in which an edge has to answer: it may stand still for some of the faults, and a client for others. */
const patienceMs = 14_000;
const counted = ['subscribe', 'unsubscribe', 'publish', 'request'];

/**
 * What became of a client's requests in this life. What was asked says what is to be answered: `….echo` its own data, `….count` as
 * many parts as `to` of its data says, `{n}` each. The mesh may answer with an error instead.
 */
export function judgeCalls(life: Life, timeoutMs: number): CallsVerdict {
  const calls = new Map<string, Call>();
  // One that is sent again on another socket was asked when it was sent first.
  for (const call of callsOf(life)) calls.set(call.id, { ...call, at: calls.get(call.id)?.at ?? call.at });
  const progress = new Map<string, Progress>();
  const gaps: number[] = [];
  const holes: Hole[] = [];
  const faults: Fault[] = [];
  const fault = (kind: Fault['kind'], at: number, detail: string): void => {
    faults.push({ kind, stream: `calls of ${life.name}`, at, detail });
  };
  for (const { at, frame, connection } of received(life)) {
    if (frame.t === 'gap' && frame.topic === undefined) gaps.push(at);
    if (frame.re === undefined || !['part', 'ok', 'error'].includes(frame.t)) continue;
    const id = String(frame.re);
    const where = `${connection.open.connection} ${frame.t} of ${id}`;
    const call = calls.get(id);
    if (call === undefined) {
      // An answer to a subscription or a publish is none of these.
      if (frame.t === 'part') fault('foreign', at, `${where}: nobody asked`);
      continue;
    }
    const one = progress.get(id) ?? { had: new Set(), next: 0, lastAt: call.at, end: undefined };
    progress.set(id, one);
    // What comes once more, or after its end, a client drops.
    if (one.end !== undefined || (frame.t === 'part' && one.had.has(Number(frame.n)))) continue;
    const wrong = contentFault(call, frame);
    if (wrong !== undefined) fault('foreign', at, `${where}: ${wrong}`);
    const isTold = gaps.some((each) => each >= call.at);
    one.lastAt = at;
    if (frame.t === 'part') {
      const n = Number(frame.n);
      one.had.add(n);
      if (n < one.next) fault('reordered', at, `${where}: ${n} after ${one.next - 1}`);
      else if (n > one.next && !isTold) fault('lost', at, `${where}: ${one.next} is missing before ${n}`);
      if (n > one.next) holes.push({ from: call.at, until: at });
      one.next = Math.max(one.next, n + 1);
      continue;
    }
    one.end = frame;
    const due = partsOf(call);
    if (one.next < due) holes.push({ from: call.at, until: at });
    if (frame.t === 'ok' && one.next < due && !isTold)
      fault('lost', at, `${where}: ${one.next} of ${due} parts`);
  }
  for (const call of calls.values()) {
    const one = progress.get(call.id);
    if (one?.end !== undefined) continue;
    const hasBegun = (one?.had.size ?? 0) > 0;
    const dueAt = (one?.lastAt ?? call.at) + timeoutMs + patienceMs;
    holes.push({ from: call.at, until: dueAt });
    if (gaps.some((each) => each >= call.at)) continue;
    // One that has begun is in the session's queue, wherever that goes; another is as good as its connection.
    if (dueAt < (hasBegun ? life.endsAt : heldUntil(call)))
      fault('lost', call.at, `${call.id}: no ${hasBegun ? 'end' : 'answer'}`);
  }
  const answered = [...progress.values()].filter(({ end }) => end !== undefined).length;
  return { asked: calls.size, answered, faults, holes };
}

function callsOf({ connections }: Life): Call[] {
  return connections.flatMap((connection) => {
    let ordinal = 0;
    return connection.frames.flatMap(({ isSent, at, frame }) => {
      if (!isSent || !counted.includes(frame.t)) return [];
      ordinal += 1;
      if (frame.t !== 'request') return [];
      const { id, method, data } = frame;
      return [{ id: String(id), at, connection, ordinal, method: String(method), data }];
    });
  });
}

const partsOf = ({ method, data }: Call): number =>
  method.endsWith('.count') ? Number((data as { to?: unknown } | null)?.to ?? 0) : 0;

/** What is wrong with what was answered. */
function contentFault(call: Call, frame: Frame): string | undefined {
  if (frame.t === 'part') {
    const n = Number(frame.n);
    if (n >= partsOf(call)) return `it has ${partsOf(call)} parts`;
    return (frame.data as { n?: unknown } | null)?.n === n ? undefined : `not what is part ${n}`;
  }
  if (frame.t !== 'ok' || !call.method.endsWith('.echo')) return undefined;
  return JSON.stringify(frame.data) === JSON.stringify(call.data) ? undefined : 'not what was asked';
}

/** Until when the edge that took it has to answer. */
function heldUntil({ connection: { frames, close }, ordinal }: Call): number {
  const moved = frames.find(({ isSent, frame }) => !isSent && frame.t === 'moved');
  if (moved !== undefined && Number(moved.frame.received) < ordinal) return Number.NEGATIVE_INFINITY;
  return Math.min(moved?.at ?? Infinity, close?.at ?? Infinity);
}
