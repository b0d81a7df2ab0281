import { createHash } from 'node:crypto';
import type { Delivery } from '@evenkeel/broker';
import { atHeader } from '@evenkeel/protocol';

/** A place in a history stream: the record with this offset, if its print is this one. */
export interface Position {
  readonly offset: number;
  /** Of what the record says: at the same offset of another life of the stream there is another record. */
  readonly print: string;
}

const printLength = 10;
const form = /^(0|[1-9]\d{0,14})-([\w-]{10})$/;

/** A position as clients have it: to them it is opaque. */
export const writePosition = ({ offset, print }: Position): string => `${offset}-${print}`;

/** The inverse of {@link writePosition}; undefined: it is none. */
export function readPosition(text: string): Position | undefined {
  const [, offset, print] = form.exec(text) ?? [];
  return offset === undefined || print === undefined ? undefined : { offset: Number(offset), print };
}

/** The print of a record: by what every reader of the stream sees alike, 60 bits. */
export function printOf({ key, body, properties }: Pick<Delivery, 'key' | 'body' | 'properties'>): string {
  const { messageId = '', timestamp = '', headers } = properties;
  const { [atHeader]: at } = headers;
  // A table has no text of its own, and asking it for one may throw.
  const stated = typeof at === 'object' && at !== null ? '[object Object]' : String(at ?? '');
  return createHash('sha1')
    .update(`${key}\0${messageId}\0${timestamp}\0${stated}\0`)
    .update(body)
    .digest('base64url')
    .slice(0, printLength);
}
