import { isSpace, skipSpace } from './raw-member.js';

/** Where an array or an object ends in a JSON text, and how many are in each other at most. */
export interface Nested {
  readonly end: number;
  readonly depth: number;
}

const at = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma, colon] = [at('"'), at('\\'), at(','), at(':')];
const [openBrace, closeBrace, openBracket, closeBracket] = [at('{'), at('}'), at('['), at(']')];
const [minus, plus, dot, zero, nine, letterU] = [at('-'), at('+'), at('.'), at('0'), at('9'), at('u')];
const [lowerE, upperE] = [at('e'), at('E')];
const escapes: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map(at));
const words: ReadonlyMap<number, string> = new Map(['true', 'false', 'null'].map((word) => [at(word), word]));
const hex4 = /^[0-9A-Fa-f]{4}$/;
const firstPrintable = 32;

/**
 * Reads an array or an object as strictly as `JSON.parse` does and makes nothing of it, which takes a third of the time. Undefined:
 * it is malformed, or does not end.
 * @param start of its bracket or brace.
 */
export function readNested(json: string, start: number): Nested | undefined {
  /** Of each that is open, whether it is an object; without the innermost. */
  const around: boolean[] = [];
  let isObject = false;
  let isOpen = false;
  let depth = 0;
  let i = start;
  for (;;) {
    // A value is next, or what has just begun ends.
    let code = json.charCodeAt(i);
    if (isDigit(code) && code !== zero) {
      do code = json.charCodeAt(++i);
      while (isDigit(code));
      if (code === dot || code === lowerE || code === upperE) i = endOfFraction(json, i);
    } else if (isSpace(code)) {
      i += 1;
      continue;
    } else if (code === openBrace || code === openBracket) {
      if (isOpen) around.push(isObject);
      isOpen = true;
      isObject = code === openBrace;
      if (around.length >= depth) depth = around.length + 1;
      i = skipSpace(json, i + 1);
      if (json.charCodeAt(i) !== (isObject ? closeBrace : closeBracket)) {
        if (isObject) i = endOfName(json, i);
        if (i < 0) return undefined;
        continue;
      }
    } else i = endOfPlain(json, i, code);
    if (i < 0) return undefined;
    // Behind a value; or at the end of what is empty.
    for (;;) {
      code = json.charCodeAt(i);
      if (code === comma && isOpen) {
        i += 1;
        if (isObject) i = endOfName(json, skipSpace(json, i));
        if (i < 0) return undefined;
        break;
      }
      i += 1;
      if (isSpace(code)) continue;
      if (!isOpen || code !== (isObject ? closeBrace : closeBracket)) return undefined;
      const outer = around.pop();
      if (outer === undefined) return { end: i, depth };
      isObject = outer;
    }
  }
}

/** Behind the colon; below zero: there is no name. */
function endOfName(json: string, start: number): number {
  const end = json.charCodeAt(start) === quote ? endOfText(json, start) : -1;
  if (end < 0) return end;
  const i = skipSpace(json, end);
  return json.charCodeAt(i) === colon ? i + 1 : -1;
}

/** Behind a text, a number or a word. */
function endOfPlain(json: string, start: number, code: number): number {
  if (code === quote) return endOfText(json, start);
  if (code === minus || isDigit(code)) return endOfNumber(json, start);
  const word = words.get(code);
  return word !== undefined && json.startsWith(word, start) ? start + word.length : -1;
}

function endOfText(json: string, start: number): number {
  for (let i = start + 1; i < json.length; i += 1) {
    const code = json.charCodeAt(i);
    if (code === quote) return i + 1;
    if (code < firstPrintable) return -1;
    if (code !== backslash) continue;
    i += 1;
    const escaped = json.charCodeAt(i);
    if (escaped === letterU && hex4.test(json.slice(i + 1, i + 5))) i += 4;
    else if (!escapes.has(escaped)) return -1;
  }
  return -1;
}

function endOfNumber(json: string, start: number): number {
  const first = json.charCodeAt(start) === minus ? start + 1 : start;
  const i = json.charCodeAt(first) === zero ? first + 1 : endOfDigits(json, first);
  return i < 0 ? i : endOfFraction(json, i);
}

/** Of what may come behind a whole number. */
function endOfFraction(json: string, start: number): number {
  const i = json.charCodeAt(start) === dot ? endOfDigits(json, start + 1) : start;
  const code = i < 0 ? i : json.charCodeAt(i);
  if (code !== lowerE && code !== upperE) return i;
  const sign = json.charCodeAt(i + 1);
  return endOfDigits(json, sign === plus || sign === minus ? i + 2 : i + 1);
}

/** One digit at least. */
function endOfDigits(json: string, start: number): number {
  let i = start;
  while (isDigit(json.charCodeAt(i))) i += 1;
  return i > start ? i : -1;
}

const isDigit = (code: number): boolean => code >= zero && code <= nine;
