/** What a mesh carries, as one map of types: for clients and publishers alike. */

/**
 * An application's map: names to the types of their data, and methods to `{ data, reply }`. `requests`: what services answer to
 * clients; `served`: what clients answer to services. All are optional; interfaces do as well.
 * @example
 * interface Shop extends MeshMap { events: { 'order.created': { number: number } } }
 */
export interface MeshMap {
  events?: object;
  topics?: object;
  requests?: object;
  streams?: object;
  served?: object;
}
/** Where nothing is said: each call says what it expects. */
type Nothing = Record<never, never>;
type IsMesh<Map> = [keyof Map] extends [never] ? false : [keyof Map] extends [keyof MeshMap] ? true : false;
type At<Map, Key extends keyof MeshMap, Else> =
  IsMesh<Map> extends true ? (Map extends { [K in Key]: infer Found extends object } ? Found : Else) : Else;

/**
 * Of events: the map's, or the map itself where it is one of events alone, with any data if it says nothing of them.
 * @example
 * const show = (order: EventsOf<Mesh>['order.created']) => console.log(order.number);
 */
export type EventsOf<Map extends object> =
  IsMesh<Map> extends true ? At<Map, 'events', Record<string, unknown>> : Map;
/**
 * Of topics: what a map says of them.
 * @example
 * type Line = TopicsOf<Mesh>['room.42']; // { text: string }
 */
export type TopicsOf<Map extends object, Else extends object = Nothing> = At<Map, 'topics', Else>;
/**
 * Of the methods that clients answer to services.
 * @example
 * type Confirm = ServedOf<Mesh>['order.confirm']; // { data: { order: number }; reply: boolean }
 */
export type ServedOf<Map extends object, Else extends object = Nothing> = At<Map, 'served', Else>;
/**
 * Of the methods that services answer to clients: what a map says of them.
 * @example
 * type Price = RequestsOf<Mesh>['shop.price']; // { data: { item: string }; reply: number }
 */
export type RequestsOf<Map extends object, Else extends object = Nothing> = At<Map, 'requests', Else>;
/**
 * Of the methods that services answer in parts.
 * @example
 * type Ask = StreamsOf<Mesh>['assistant.ask']; // { data: { text: string }; part: string }
 */
export type StreamsOf<Map extends object, Else extends object = Nothing> = At<Map, 'streams', Else>;

/**
 * A name that a map does not have: one that it has goes with what the map says of it. Of a map of any names, and where there is no literal, any.
 * @example
 * type Other = Unlisted<Mesh['events'], 'order.created'>; // never: the map has it
 */
export type Unlisted<Map, Name extends string> = string extends keyof Map
  ? Name
  : Name extends keyof Map
    ? never
    : Name;
