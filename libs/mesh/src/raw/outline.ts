import { readNested } from './nested.js';
import { isName, type RawJson, readValue, skipSpace, textEnd } from './raw-member.js';

/** A JSON object without what is long in it. */
export interface Outline {
  /** The same object, with `null` in the place of each long array or object. */
  readonly rest: string;
  /** The member `data` as it was written. */
  readonly data: RawJson | undefined;
}

const at = (character: string): number => character.charCodeAt(0);
const [quote, comma, colon] = [at('"'), at(','), at(':')];
const [openBrace, closeBrace, openBracket] = [at('{'), at('}'), at('[')];
/** Shorter ones are no trouble to a parser. */
const longValue = 256;
/** The one member with an object that means something to an edge. */
const isRead = (name: string): boolean => isName(name, 'error');

/**
 * What is to be parsed of a frame whose `data` is only carried on: a parser makes a value of each number in it, for nothing.
 * Undefined: it has to be parsed as a whole, if that is possible at all. `rest` is as malformed as the object is outside of what
 * was left out, which is well-formed.
 * @throws SyntaxError when a name is malformed.
 */
export function outlineOf(object: string): Outline | undefined {
  let rest = '';
  let copied = 0;
  let data: RawJson | undefined;
  let i = skipSpace(object, 0);
  if (object.charCodeAt(i) !== openBrace) return undefined;
  i = skipSpace(object, i + 1);
  while (object.charCodeAt(i) === quote) {
    const nameEnd = textEnd(object, i);
    const name = object.slice(i + 1, nameEnd - 1);
    const afterName = skipSpace(object, nameEnd);
    if (object.charCodeAt(afterName) !== colon) return undefined;
    const start = skipSpace(object, afterName + 1);
    const code = object.charCodeAt(start);
    const isNested = code === openBrace || code === openBracket;
    const nested = isNested ? readNested(object, start) : undefined;
    if (isNested && nested === undefined) return undefined;
    const { end, depth } = nested ?? readValue(object, start);
    if (isName(name, 'data')) data = { text: object.slice(start, end), depth };
    if (nested !== undefined && end - start > longValue && !isRead(name)) {
      rest += `${object.slice(copied, start)}null`;
      copied = end;
    }
    i = skipSpace(object, end);
    if (object.charCodeAt(i) !== comma) break;
    i = skipSpace(object, i + 1);
  }
  return object.charCodeAt(i) === closeBrace ? { rest: rest + object.slice(copied), data } : undefined;
}
