import { type Outline, outlineOf, type RawJson, rawMember } from '@evenkeel/mesh';
import { clientFrame, clientFrameTypes, type ParsedClientFrame } from '@evenkeel/protocol';
import type { ClientText } from '../frame/client-text.js';
import { jsonBytes, type OpaqueBody } from '../frame/opaque-body.js';
import type { RefusedFor } from './load.js';
import type { Quota } from './quota.js';
import type { SessionState } from './states.js';

export type HelloFrame = Extract<ParsedClientFrame, { t: 'hello' }>;
/** What a client sends to services: `data` as it was written, since a number may be more than JavaScript takes. */
export type InboundFrame = Carried<Extract<ParsedClientFrame, { t: 'publish' | 'request' }>>;
/** To a service's question. */
export type AnswerFrame = Carried<Extract<ParsedClientFrame, { t: 'answer' }>>;
type Carried<Frame> = Frame extends unknown
  ? Omit<Frame, 'data' | 'encoding' | 'contentType'> & { readonly data: RawJson; readonly bytes?: OpaqueBody }
  : never;
/** Frames that ask for something, and are answered by their id. */
export type RequestFrame = Extract<ParsedClientFrame, { t: 'subscribe' | 'unsubscribe' }> | InboundFrame;
/** Not of those that `moved` counts. */
export type RefreshFrame = Extract<ParsedClientFrame, { t: 'refresh' }>;
export type CancelFrame = Extract<ParsedClientFrame, { t: 'cancel' }>;
/** Neither. */
export type PresenceFrame = Extract<ParsedClientFrame, { t: 'presence' }>;
export type HistoryFrame = Extract<ParsedClientFrame, { t: 'history' }>;
type IncomingFrame =
  | Exclude<ParsedClientFrame, { t: 'publish' | 'request' | 'answer' }>
  | InboundFrame
  | AnswerFrame;

/** What a client has sent, and what it means in the session's state. */
export type Incoming =
  | { readonly is: 'frame'; readonly frame: IncomingFrame }
  /** Of a kind from a later version: answered, and nothing else. */
  | { readonly is: 'unknown'; readonly id: string | undefined; readonly kind: string }
  /** It comes after `moved`, and belongs to the next edge. */
  | { readonly is: 'late' }
  | { readonly is: 'violation' };

const violation: Incoming = { is: 'violation' };
const late: Incoming = { is: 'late' };
const absent: RawJson = { text: 'null', depth: 0 };
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Of a plain ack, bytes. */
const longestAck = 40;
const plainAck = /^\{"t":"ack","seq":(\d{1,15})\}$/;
/** From here on a frame's outline is found faster than it is parsed as a whole. */
const longText = 2_048;
/** What is repeated of an unreadable frame in its answer, characters. */
const longest = { id: 128, kind: 64 };

/** `seq` of an ack as nearly every client writes it; undefined: it takes a parser. Most frames are acks. */
export function plainAckSeq(frame: ClientText): number | undefined {
  const ack = frame.bytes <= longestAck ? plainAck.exec(frame.whole) : null;
  return ack ? Number(ack[1]) : undefined;
}

/** What the connection, or its user, may not send now. */
export interface Refused {
  readonly is: 'refused';
  readonly why: RefusedFor;
  /** Of a frame that is answered. */
  readonly id: string | undefined;
  /** Of a kind that `moved` counts. */
  readonly isRequest: boolean;
  /** Bytes that had to be read to find that out. */
  readonly bytes: number;
}

const requestKinds: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'publish', 'request']);
const beginning =
  /^\s*\{\s*"t"\s*:\s*"([a-z]{1,16})"\s*,\s*"id"\s*:\s*(\d{1,15}|"(?:[^"\\]|\\.){1,128}")\s*[,}]/;

/** The id of a request as nearly every client writes it, without a look at the rest; undefined: it takes a parser. */
function idAtBeginning(text: string): string | undefined {
  const [, kind = '', id = ''] = beginning.exec(text) ?? [];
  if (!requestKinds.has(kind)) return undefined;
  try {
    return String(JSON.parse(id));
  } catch {
    return undefined;
  }
}

/** Like {@link readFrame}, within what may be sent. */
export function readWithin(
  quota: Pick<Quota, 'takesBytes' | 'takesFrame'>,
  text: ClientText,
  state: SessionState,
): Incoming | Refused {
  if (state === 'opened') return readFrame(text.whole, state);
  const { bytes } = text;
  const isTooLong = !quota.takesBytes(bytes);
  const known = isTooLong ? idAtBeginning(text.beginning) : undefined;
  if (known !== undefined) {
    const isRequest = state !== 'moved';
    return { is: 'refused', why: 'bytes', id: isRequest ? known : undefined, isRequest, bytes: 0 };
  }
  const incoming = readFrame(text.whole, state);
  if (incoming.is === 'violation') return incoming;
  // What a client has handled, and that it goes, is heard in any case.
  if (incoming.is === 'frame' && (incoming.frame.t === 'ack' || incoming.frame.t === 'bye')) return incoming;
  const isOneTooMany = !quota.takesFrame();
  if (!isTooLong && !isOneTooMany) return incoming;
  const id = idOf(incoming);
  const isRequest = incoming.is === 'frame' && requestKinds.has(incoming.frame.t);
  const why = isTooLong ? 'bytes' : 'frames';
  return { is: 'refused', why, id, isRequest, bytes: isTooLong ? bytes : 0 };
}

function idOf(incoming: Incoming): string | undefined {
  if (incoming.is === 'unknown') return incoming.id;
  return incoming.is === 'frame' && 'id' in incoming.frame ? incoming.frame.id : undefined;
}

/** Reads a frame; what is no frame, or not its turn, is told apart. */
export function readFrame(text: string, state: SessionState): Incoming {
  let value: unknown;
  let outline: Outline | undefined;
  try {
    if (text.length > longText && state !== 'opened') outline = outlineOf(text);
    value = JSON.parse(outline?.rest ?? text);
  } catch {
    return violation;
  }
  const parsed = clientFrame.safeParse(value);
  if (!parsed.success) return readUnknown(value, state);
  const frame = parsed.data;
  if (state === 'moved') return frame.t === 'ack' ? { is: 'frame', frame } : late;
  if ((frame.t === 'hello') !== (state === 'opened')) return violation;
  if (frame.t !== 'publish' && frame.t !== 'request' && frame.t !== 'answer') return { is: 'frame', frame };
  const { data, encoding, contentType, ...named } = frame;
  if (encoding === undefined) {
    if (outline?.data !== undefined) {
      const { text: json, depth } = outline.data;
      return { is: 'frame', frame: { ...named, data: { text: '', depth }, bytes: jsonBytes(json) } };
    }
    return { is: 'frame', frame: { ...named, data: rawMember(text, 'data') ?? absent } };
  }
  if (typeof data !== 'string' || !base64.test(data)) return violation;
  const bytes = { body: Buffer.from(data, 'base64'), contentType: contentType ?? 'application/octet-stream' };
  return { is: 'frame', frame: { ...named, data: absent, bytes } };
}

function readUnknown(value: unknown, state: SessionState): Incoming {
  if (typeof value !== 'object' || value === null || !('t' in value)) return violation;
  const { t } = value;
  if (typeof t !== 'string' || clientFrameTypes.has(t) || state === 'opened') return violation;
  if (state === 'moved') return late;
  const id = 'id' in value && typeof value.id === 'string' ? value.id.slice(0, longest.id) : undefined;
  return { is: 'unknown', id, kind: t.slice(0, longest.kind) };
}
