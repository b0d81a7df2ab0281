import type { Got, NamesBy } from '@evenkeel/protocol/wire';

/**
 * Text that has a wildcard.
 * @example
 * const everyRoom: AnyPattern = 'room.*';
 * await client.subscribe(everyRoom, ({ topic, data }) => console.log(topic, data));
 */
export type AnyPattern = `${string}*${string}` | `${string}#${string}`;

/** Names of a map that a pattern may match, or that are wider than it is. */
type Matched<Topics, Names extends string> = {
  [Name in keyof Topics]: Name extends Names ? Name : Names extends Name ? Name : never;
}[keyof Topics];

/**
 * What messages by a pattern may carry: the data of every topic that it may match; anything, where none is known.
 * @example
 * type Line = DataByPattern<Mesh['topics'], 'room.*'>; // { text: string }
 */
export type DataByPattern<Topics extends object, Pattern extends string> = [
  Matched<Topics, NamesBy<Pattern>>,
] extends [never]
  ? unknown
  : Got<Topics[Matched<Topics, NamesBy<Pattern>>]>;
