/** A value as it stands in a JSON text. */
export interface RawJson {
  readonly text: string;
  /** How many arrays and objects are in each other at most; 0: none. */
  readonly depth: number;
}

const at = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma] = [at('"'), at('\\'), at(',')];
const [openBrace, closeBrace, openBracket, closeBracket] = [at('{'), at('}'), at('['), at(']')];

/**
 * The value of a member of `object`, as it was written: numbers of any size, escapes and the order of names stay as they are. As
 * with `JSON.parse` the last of several counts.
 * @param object the text of a JSON object, which `JSON.parse` takes: nothing is checked here.
 */
export function rawMember(object: string, name: string): RawJson | undefined {
  let found: RawJson | undefined;
  let next = skipSpace(object, object.indexOf('{') + 1);
  while (object.charCodeAt(next) === quote) {
    const nameEnd = textEnd(object, next);
    const value = readValue(object, skipSpace(object, skipSpace(object, nameEnd) + 1));
    if (isName(object.slice(next + 1, nameEnd - 1), name)) found = value;
    next = skipSpace(object, value.end);
    if (object.charCodeAt(next) !== comma) break;
    next = skipSpace(object, next + 1);
  }
  return found && { text: found.text, depth: found.depth };
}

/**
 * The items of an array, each as it was written.
 * @param array the text of a JSON array, which `JSON.parse` takes: nothing is checked here.
 */
export function rawItems(array: string): RawJson[] {
  const items: RawJson[] = [];
  let next = skipSpace(array, array.indexOf('[') + 1);
  while (next < array.length && array.charCodeAt(next) !== closeBracket) {
    const { text, depth, end } = readValue(array, next);
    items.push({ text, depth });
    next = skipSpace(array, end);
    if (array.charCodeAt(next) !== comma) break;
    next = skipSpace(array, next + 1);
  }
  return items;
}

/** `written` may have escapes. */
export const isName = (written: string, name: string): boolean =>
  (written.includes('\\') ? JSON.parse(`"${written}"`) : written) === name;

export function readValue(json: string, start: number): RawJson & { end: number } {
  let depth = 0;
  let deepest = 0;
  const value = (end: number) => ({ text: json.slice(start, end), depth: deepest, end });
  for (let i = start; i < json.length; i += 1) {
    const code = json.charCodeAt(i);
    if (code === quote) {
      const end = textEnd(json, i);
      if (depth === 0) return value(end);
      i = end - 1;
    } else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === closeBrace || code === closeBracket) {
      // The end of what it is in, which is also the end of a number.
      if (depth === 0) return value(i);
      depth -= 1;
      if (depth === 0) return value(i + 1);
    } else if (depth === 0 && (code === comma || isSpace(code))) return value(i);
  }
  return value(json.length);
}

/** The index behind the closing quote of the text that begins at `start`. */
export function textEnd(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end >= 0) {
    let before = end - 1;
    while (json.charCodeAt(before) === backslash) before -= 1;
    // An even number of backslashes escape each other.
    if ((end - before) % 2 === 1) return end + 1;
    end = json.indexOf('"', end + 1);
  }
  return json.length;
}

export function skipSpace(json: string, from: number): number {
  let i = from;
  while (isSpace(json.charCodeAt(i))) i += 1;
  return i;
}

/** As JSON has it. */
export const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;
