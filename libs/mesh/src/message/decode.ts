import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { charset } from './content-type.js';

/** A body without its content codings. */
export interface Plain {
  readonly body: Buffer;
  /** A charset that was given as an encoding, as some publishers do. */
  readonly charset: string | undefined;
}

type Decode = (body: Buffer, options: { maxOutputLength: number }) => Buffer;

/** A map: an object would know `constructor` too. */
const codings: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflate],
  ['br', brotliDecompressSync],
]);
/** Say nothing about the bytes. */
const noCodings: ReadonlySet<string> = new Set(['', 'identity', 'binary', '7bit', '8bit']);
/** One on another; nobody uses more. */
const maxCodings = 3;

/** With the header that RFC 9110 asks for, and without, as many write it. */
function inflate(body: Buffer, options: { maxOutputLength: number }): Buffer {
  try {
    return inflateSync(body, options);
  } catch (error) {
    if (isTooLong(error)) throw error;
    return inflateRawSync(body, options);
  }
}

const isTooLong = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/**
 * Takes the codings off a body, the last one first. At once, and not beside the event loop: events stay in order, and no more is
 * decoded than `maxBytes`.
 * @returns `unknown`: it cannot be decoded; `too-large`: there is more in it.
 */
export function withoutCodings(
  body: Buffer,
  encoding: string,
  maxBytes: number,
): Plain | 'unknown' | 'too-large' {
  const names = encoding.toLowerCase().split(',', maxCodings + 1);
  if (names.length > maxCodings) return 'unknown';
  let plain = body;
  let label: string | undefined;
  for (const written of names.reverse()) {
    const name = written.trim();
    const decode = codings.get(name);
    if (decode) {
      try {
        plain = decode(plain, { maxOutputLength: maxBytes });
      } catch (error) {
        return isTooLong(error) ? 'too-large' : 'unknown';
      }
    } else if (noCodings.has(name)) continue;
    else if (isCharset(name)) label = charset(name);
    else return 'unknown';
  }
  return { body: plain, charset: label };
}

const utf16 = { le: 'utf-16le', be: 'utf-16be' } as const;
const byteOrderMark = '\uFEFF';

/** A body as text; undefined: it is none. `label`: of its charset, undefined for UTF-8. */
export function textOf(body: Buffer, label: string | undefined): string | undefined {
  if (label !== undefined) return decodeAs(label === 'utf-16' ? (byMark(body) ?? utf16.le) : label, body);
  if (isUtf8(body)) {
    const text = body.toString('utf8');
    return text.startsWith(byteOrderMark) ? text.slice(1) : text;
  }
  const marked = byMark(body);
  return marked && decodeAs(marked, body);
}

/** Which UTF-16 a byte order mark says that it is. */
function byMark(body: Buffer): string | undefined {
  if (body[0] === 0xfe && body[1] === 0xff) return utf16.be;
  return body[0] === 0xff && body[1] === 0xfe ? utf16.le : undefined;
}

function decodeAs(label: string, body: Buffer): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

function isCharset(label: string): boolean {
  try {
    return new TextDecoder(label) !== undefined;
  } catch {
    return false;
  }
}
