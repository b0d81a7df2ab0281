import { type ContentKind, contentKind } from './content-type.js';
import { textOf, withoutCodings } from './decode.js';

/** Properties by which a body is read. */
export interface Described {
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
}

interface Looked {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly maxBytes: number;
  readonly fields: string | undefined;
}

/**
 * One publish reaches the sessions of a user, and the topics of CC, one by one, mostly together. So bodies that cost something are
 * remembered for a moment: what was made of the last few.
 */
const rememberFromBytes = 4_096;
const maxRemembered = 4;
const remembered: Looked[] = [];

/**
 * The members of a frame that carry a body, as JSON text beginning with a comma: JSON as it is, text as a string, anything else as
 * base64. Undefined: it is sure that a frame with it would have more than `maxBytes`.
 */
export function contentFields(body: Buffer, described: Described, maxBytes: number): string | undefined {
  const { contentType, contentEncoding } = described;
  const isCheap = body.length < rememberFromBytes && !contentEncoding;
  if (isCheap) return look(body, contentType, contentEncoding, maxBytes);
  for (const each of remembered) {
    if (
      each.contentType === contentType &&
      each.contentEncoding === contentEncoding &&
      each.maxBytes === maxBytes &&
      each.body.equals(body)
    )
      return each.fields;
  }
  const fields = look(body, contentType, contentEncoding, maxBytes);
  // What is far too large is not worth its memory.
  if (body.length > maxBytes * 2) return fields;
  if (remembered.length === maxRemembered) remembered.shift();
  remembered.push({ body, contentType, contentEncoding, maxBytes, fields });
  return fields;
}

function look(
  body: Buffer,
  type: string | undefined,
  encoding: string | undefined,
  maxBytes: number,
): string | undefined {
  const kind = contentKind(type);
  // Only UTF-16 becomes shorter.
  const longest = maxBytes * 2;
  if (body.length > longest) return undefined;
  if (!encoding) return write(body, kind, kind.charset, type, maxBytes);
  const plain = withoutCodings(body, encoding, longest);
  if (plain === 'too-large') return undefined;
  if (plain === 'unknown') return `${opaque(body, type)},"contentEncoding":${JSON.stringify(encoding)}`;
  return write(plain.body, kind, kind.charset ?? plain.charset, type, maxBytes);
}

function write(
  body: Buffer,
  { is }: ContentKind,
  charset: string | undefined,
  type: string | undefined,
  maxBytes: number,
): string | undefined {
  if (charset === undefined && body.length > maxBytes) return undefined;
  const text = is === 'opaque' ? undefined : textOf(body, charset);
  if (text === undefined) return opaque(body, type);
  return `,"data":${is === 'json' && isJson(text) ? text : JSON.stringify(text)}`;
}

const opaque = (body: Buffer, type: string | undefined): string =>
  `,"data":"${body.toString('base64')}","encoding":"base64","contentType":${JSON.stringify(type || 'application/octet-stream')}`;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
