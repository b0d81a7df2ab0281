/** Text that has a wildcard. */
export type AnyPattern = `${string}*${string}` | `${string}#${string}`;

/** A pattern as a type of the names that it matches; it may match more than the pattern does. */
type NamesBy<Pattern extends string> = Pattern extends `${infer Before}.#${infer After}`
  ? `${NamesBy<Before>}${string}${NamesBy<After>}`
  : Pattern extends `${infer Before}${'*' | '#'}${infer After}`
    ? `${NamesBy<Before>}${string}${NamesBy<After>}`
    : Pattern;

/** Names of a map that a pattern may match, or that are wider than it is. */
type Matched<Topics, Names extends string> = {
  [Name in keyof Topics]: Name extends Names ? Name : Names extends Name ? Name : never;
}[keyof Topics];

/** What messages by a pattern may carry: the data of every topic that it may match; anything, where none is known. */
export type DataByPattern<Topics extends object, Pattern extends string> = [
  Matched<Topics, NamesBy<Pattern>>,
] extends [never]
  ? unknown
  : Topics[Matched<Topics, NamesBy<Pattern>>];
