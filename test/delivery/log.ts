/** The log of a run: JSON lines, as docs/delivery-log.md describes them. Times are ms of one clock. */

/** A message as it was handed to the broker. */
export interface Publish {
  readonly kind: 'publish';
  readonly at: number;
  readonly publisher: string;
  /** Counts what this publisher published, from 1. */
  readonly n: number;
  /** The routing key, then those of the CC header. */
  readonly keys: readonly string[];
  /** `message_id`, as text; absent if the publisher set none. */
  readonly id?: string;
  readonly data?: unknown;
}

/** `routed`: confirmed, some queue took it. `returned`: no queue. `unknown`: the connection went first. */
export type Outcome = 'routed' | 'returned' | 'nacked' | 'unknown';

interface Confirm {
  readonly kind: 'confirm';
  readonly at: number;
  readonly publisher: string;
  readonly n: number;
  readonly outcome: Outcome;
  /** The publisher lost its connection meanwhile and may have sent the message again, with the same id. */
  readonly resent?: boolean;
}

/** A socket is dialled. */
export interface Open {
  readonly kind: 'open';
  readonly at: number;
  readonly connection: string;
  /** In its carried form, as in routing keys. */
  readonly uid: string;
  readonly session: string;
  readonly node?: string;
  /** `true`: its client is one that hands over by itself, and {@link Handed} tells what. */
  readonly hands?: boolean;
}

export type Frame = Readonly<Record<string, unknown>> & { readonly t: string };

interface FrameLine {
  /** `send`: the client wrote it; `frame`: the client got it. */
  readonly kind: 'send' | 'frame';
  readonly at: number;
  readonly connection: string;
  readonly frame: Frame;
}

export interface Close {
  readonly kind: 'close';
  readonly at: number;
  readonly connection: string;
  readonly code?: number;
  /** Who ended it; `cut`: nobody, the network. */
  readonly by: 'client' | 'edge' | 'cut';
}

/** A client's application has been given something, and its handler has ended. */
export interface Handed {
  readonly kind: 'handed';
  readonly at: number;
  readonly uid: string;
  readonly session: string;
  readonly what: 'event' | 'message' | 'gap';
  /** Of a message, and of a topic's gap. */
  readonly topic?: string;
  /** Of an event. */
  readonly name?: string;
  readonly id?: string;
  readonly data?: unknown;
  readonly redelivered?: boolean;
  /** Of a gap. */
  readonly reason?: string;
}

/** Something was done to the mesh, and (`shown`) could be seen to have happened. */
export interface Condition {
  readonly kind: 'condition';
  readonly at: number;
  readonly name: string;
  readonly phase: 'begin' | 'end' | 'shown';
  readonly detail?: string;
}

/** A policy limits the queues of sessions from now on, or none does any more. */
export interface Policy {
  readonly kind: 'policy';
  readonly at: number;
  /** How many messages a session's queue takes, the seal counted; absent: as without a policy. */
  readonly maxLength?: number;
}

/** A directed event came by `mesh.undelivered`. */
export interface Undelivered {
  readonly kind: 'undelivered';
  readonly at: number;
  readonly key: string;
  /** Whose it was. */
  readonly session: string;
  readonly why: string;
  readonly id?: string;
  readonly data?: unknown;
}

interface Run {
  readonly kind: 'run';
  readonly at: number;
  /** The condition that the run is about: it MUST have been shown. */
  readonly condition?: string;
  readonly broker?: string;
  /** How long edges wait for an answer, ms; absent: 30 s. */
  readonly requestTimeoutMs?: number;
  /** How many events a session's queue takes. */
  readonly maxLength?: number;
}

export type Line =
  | Publish
  | Confirm
  | Open
  | FrameLine
  | Close
  | Handed
  | Condition
  | Policy
  | Undelivered
  | Run;

export interface Log {
  readonly lines: readonly Line[];
  /** What is no line of a log, with its number. */
  readonly malformed: readonly string[];
}

type Fields = Record<string, (value: unknown) => boolean>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
const oneOf =
  (...values: string[]) =>
  (value: unknown): boolean =>
    values.includes(value as string);
const isFrame = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && isText((value as Frame).t);
const maybe =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || check(value);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isKeys = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isText);

const ofFrame: Fields = { connection: isText, frame: isFrame };
const kinds: Readonly<Record<Line['kind'], Fields>> = {
  run: { condition: maybe(isText), requestTimeoutMs: maybe(isCount), maxLength: maybe(isCount) },
  publish: { publisher: isText, n: isCount, keys: isKeys, id: maybe(isText) },
  confirm: { publisher: isText, n: isCount, outcome: oneOf('routed', 'returned', 'nacked', 'unknown') },
  open: { connection: isText, uid: isText, session: isText, hands: maybe(isFlag) },
  send: ofFrame,
  frame: ofFrame,
  close: { connection: isText, by: oneOf('client', 'edge', 'cut') },
  policy: { maxLength: maybe(isCount) },
  undelivered: { key: isText, session: isText, why: isText, id: maybe(isText) },
  handed: {
    uid: isText,
    session: isText,
    what: oneOf('event', 'message', 'gap'),
    topic: maybe(isText),
    name: maybe(isText),
    id: maybe(isText),
    redelivered: maybe(isFlag),
    reason: maybe(isText),
  },
  condition: { name: isText, phase: oneOf('begin', 'end', 'shown') },
};

/** Reads a log; the lines in order of time, lines of one time as they stand. */
export function readLog(text: string): Log {
  const lines: Line[] = [];
  const malformed: string[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const fault = add(line, lines);
    if (fault !== undefined) malformed.push(`line ${i + 1}: ${fault}`);
  }
  if (lines.length === 0 && malformed.length === 0) malformed.push('no lines');
  return { lines: lines.sort((a, b) => a.at - b.at), malformed };
}

function add(text: string, lines: Line[]): string | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return 'not JSON';
  }
  const fields = kinds[value?.kind as Line['kind']];
  if (fields === undefined) return `no such kind: ${JSON.stringify(value?.kind)}`;
  if (!isTime(value.at)) return 'at is no number';
  const wrong = Object.keys(fields).find((name) => !fields[name]?.(value[name]));
  if (wrong !== undefined) return `${String(value.kind)}: ${wrong} is ${JSON.stringify(value[wrong])}`;
  lines.push(value as unknown as Line);
  return undefined;
}
