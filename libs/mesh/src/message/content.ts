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
const maxRememberedBytes = 2_097_152;
const remembered: Looked[] = [];
let rememberedBytes = 0;

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
  remember({ body, contentType, contentEncoding, maxBytes, fields });
  return fields;
}

function remember(looked: Looked): void {
  const bytes = sizeOf(looked);
  if (bytes > maxRememberedBytes) return;
  rememberedBytes += bytes;
  remembered.push(looked);
  while (remembered.length > maxRemembered || rememberedBytes > maxRememberedBytes) {
    const oldest = remembered.shift();
    if (oldest) rememberedBytes -= sizeOf(oldest);
  }
}

const sizeOf = ({ body, fields = '' }: Looked): number => body.length + fields.length;

/** Whether a frame with it would be too long, whatever is in it. Only UTF-16 becomes shorter, and by half. */
export function isSurelyTooLong(body: Buffer, described: Described, maxBytes: number): boolean {
  if (body.length <= maxBytes) return false;
  const { contentType, contentEncoding } = described;
  const mayShrink = !!contentEncoding || contentKind(contentType).charset !== undefined;
  return !mayShrink || body.length > maxBytes * 2;
}

function look(
  body: Buffer,
  type: string | undefined,
  encoding: string | undefined,
  maxBytes: number,
): string | undefined {
  if (isSurelyTooLong(body, { contentType: type, contentEncoding: encoding }, maxBytes)) return undefined;
  const kind = contentKind(type);
  const longest = maxBytes * 2;
  if (!encoding) return write(body, kind, kind.charset, type);
  const plain = withoutCodings(body, encoding, longest);
  if (plain === 'too-large') return undefined;
  if (plain === 'unknown') return `${opaque(body, type)},"contentEncoding":${JSON.stringify(encoding)}`;
  return write(plain.body, kind, kind.charset ?? plain.charset, type);
}

function write(
  body: Buffer,
  { is }: ContentKind,
  charset: string | undefined,
  type: string | undefined,
): string {
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
