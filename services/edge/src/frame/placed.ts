import type { StreamRecord } from '@evenkeel/broker';
import {
  type IsEdge,
  type Made,
  messageRest,
  senderOf,
  statedTime,
  type TailRecord,
  writePosition,
} from '@evenkeel/mesh';
import { gapReasons, keyHeader } from '@evenkeel/protocol';
import { gapFrame } from './frames.js';

/** What an edge keeps of a message. */
export interface HistoryItem {
  /** What each of its frames has behind topic and position, as JSON text; undefined: it is longer than frames may be. */
  readonly rest: string | undefined;
  /** The session that has published it, `<uid>.<sid>`, where a client has. */
  readonly from: string | undefined;
  /** Of which it is the newest value. */
  readonly key?: string;
  /** Its body is empty: the key has no value any more. */
  readonly isDeletion?: true;
}

/** Of a record beside its text: what V8 and the tail have for it, about. */
const overheadBytes = 200;

/** `isEdge`: whose word on the sender counts. */
export function historyItem(
  record: StreamRecord,
  nowMs: number,
  maxBytes: number,
  isEdge: IsEdge,
): Made<HistoryItem> {
  const { properties } = record;
  const key = properties.headers[keyHeader];
  const sender = senderOf(record, isEdge);
  const isDeletion = typeof key === 'string' && record.body.length === 0;
  const made = messageRest(isDeletion ? deletionOf(record) : record, nowMs, maxBytes, sender);
  const rest = typeof key === 'string' && made ? `,"key":${JSON.stringify(key)}${made}` : made;
  const bytes = (rest?.length ?? 0) + overheadBytes;
  const item: HistoryItem = {
    rest,
    from: sender?.key,
    ...(typeof key === 'string' && { key }),
    ...(isDeletion && { isDeletion }),
  };
  return { item, bytes, atMs: statedTime(properties) };
}

const nothing = Buffer.from('null');

/** As its clients are to read it. */
function deletionOf({ key, properties }: StreamRecord): Pick<StreamRecord, 'key' | 'body' | 'properties'> {
  const { contentEncoding: _, ...others } = properties;
  return { key, body: nothing, properties: { ...others, contentType: 'application/json' } };
}

/**
 * The frame of a message, with its place; of one that is too long: the gap that stands for it. `re`: of the question that it answers,
 * if it is of no subscription.
 */
export function historyFrame(
  topic: string,
  record: TailRecord<HistoryItem>,
  isPast: boolean,
  re?: string,
): string {
  const { rest } = record.item;
  if (rest === undefined) return gapFrame(gapReasons.tooLarge, topic, re);
  const past = `${isPast ? ',"past":true' : ''}${re === undefined ? '' : `,"re":${JSON.stringify(re)}`}`;
  // `topic` and `position` come first: see placeOf.
  return `{"t":"message","topic":"${topic}","position":"${writePosition(record)}"${past}${rest}}`;
}

const placed = /^\{"t":"message","topic":"([^"]{1,200})","position":"(\d{1,15})-/;

const named = /^\{"t":"message","topic":"([^"\\]{1,200})"/;

/** Topic of the frame of a message, by its first characters. */
export const topicOf = (frame: string): string | undefined => named.exec(frame)?.[1];

/** Of a message of a topic with history. */
export interface Place {
  readonly topic: string;
  readonly offset: number;
}

/** Characters of a frame in which its place is. */
export const placeLength = 300;

/** Place of a message that was written by {@link historyFrame}, by its first characters; undefined: it was not. */
export function placeOf(frame: string): Place | undefined {
  const [, topic, offset] = placed.exec(frame) ?? [];
  return topic === undefined ? undefined : { topic, offset: Number(offset) };
}
