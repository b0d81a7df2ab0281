import type { StreamRecord } from '@evenkeel/broker';
import { type Made, type TailRecord, writePosition } from '@evenkeel/mesh';
import { gapReasons, keyHeader } from '@evenkeel/protocol';
import { gapFrame, messageRest } from './frames.js';
import { statedTime } from './time.js';

/** What every frame of a message has behind its topic and position; undefined: it is longer than frames may be. */
export type HistoryText = string | undefined;

/** Of a record beside its text: what V8 and the tail have for it, about. */
const overheadBytes = 200;

/** What an edge keeps of a record. */
export function historyText(record: StreamRecord, nowMs: number, maxBytes: number): Made<HistoryText> {
  const { properties } = record;
  const key = properties.headers[keyHeader];
  const rest = messageRest(record, nowMs, maxBytes);
  const item = typeof key === 'string' && rest ? `,"key":${JSON.stringify(key)}${rest}` : rest;
  return { item, bytes: (item?.length ?? 0) + overheadBytes, atMs: statedTime(properties) };
}

/** The frame of a message, with its place; of one that is too long: the gap that stands for it. */
export function historyFrame(topic: string, record: TailRecord<HistoryText>, isPast: boolean): string {
  if (record.item === undefined) return gapFrame(gapReasons.tooLarge, topic);
  const past = isPast ? ',"past":true' : '';
  // `topic` and `position` come first: see placeOf.
  return `{"t":"message","topic":"${topic}","position":"${writePosition(record)}"${past}${record.item}}`;
}

const placed = /^\{"t":"message","topic":"([^"]{1,200})","position":"(\d{1,15})-/;

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
