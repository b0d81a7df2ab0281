import { isJsonType, isTextType } from '@evenkeel/protocol';

/** How a body is to be read, by its content type. */
export interface ContentKind {
  readonly is: 'json' | 'text' | 'opaque';
  /** Label of its encoding; undefined: UTF-8, which ASCII is too. */
  readonly charset: string | undefined;
}

const charsetOf = /;\s*charset\s*=\s*"?([\w.:-]+)/i;
const utf8Labels: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Without a type it may be JSON, and is text if it is none. */
const untyped: ContentKind = { is: 'json', charset: undefined };

/** Publishers use few types; one that makes them up is read each time anew. */
const maxKnown = 256;
const known = new Map<string, ContentKind>();

/** @param type as AMQP has it; an empty one is as good as none. */
export function contentKind(type: string | undefined): ContentKind {
  if (type === undefined || type === '') return untyped;
  const found = known.get(type);
  if (found) return found;
  const kind = read(type);
  if (known.size < maxKnown && type.length <= maxKnown) known.set(type, kind);
  return kind;
}

function read(type: string): ContentKind {
  const is = isJsonType(type) ? 'json' : isTextType(type) ? 'text' : 'opaque';
  return { is, charset: charset(charsetOf.exec(type)?.[1]) };
}

/** The label of a charset as it is told apart here; UTF-8 is undefined. */
export function charset(label: string | undefined): string | undefined {
  const lower = label?.toLowerCase();
  return lower === undefined || utf8Labels.has(lower) ? undefined : lower;
}
