/** What a mesh carries, as one value of schemas that browser and service share. */
import { isTopic, isTopicPattern } from './names.js';
import { isPattern, matches } from './patterns.js';
import {
  type InputOf,
  isSchema,
  issuesText,
  type OutputOf,
  type SchemaIssue,
  type SchemaResult,
  type StandardSchema,
} from './standard-schema.js';

/**
 * A method: what is asked and what is answered. What is left out is not checked.
 * @example
 * const price: MethodDefinition = { data: z.object({ item: z.string() }), reply: z.number() };
 */
export interface MethodDefinition {
  readonly data?: StandardSchema;
  readonly reply?: StandardSchema;
}
/**
 * A method that is answered in parts; `reply` is what comes last.
 * @example
 * const ask: StreamDefinition = { data: z.string(), part: z.string(), reply: z.int() };
 */
export interface StreamDefinition extends MethodDefinition {
  readonly part?: StandardSchema;
}
/**
 * What {@link defineMesh} takes: names, and for each a Standard Schema. Names of topics may be patterns, `room.*`.
 * @example
 * const events: MeshDefinition = { events: { 'order.created': z.object({ number: z.int() }) } };
 */
export interface MeshDefinition {
  readonly events?: Readonly<Record<string, StandardSchema>>;
  readonly topics?: Readonly<Record<string, StandardSchema>>;
  /** What services answer to clients. */
  readonly requests?: Readonly<Record<string, MethodDefinition>>;
  /** What services answer to clients in parts. */
  readonly streams?: Readonly<Record<string, StreamDefinition>>;
  /** What clients answer to services. */
  readonly served?: Readonly<Record<string, MethodDefinition>>;
}

/**
 * Data whose sender gives something else than its receiver gets, since its schema makes another value of it.
 * @example
 * type Day = Carried<string, Date>; // a schema makes a Date of the text that is sent
 */
export interface Carried<In, Out> {
  readonly '~in': In;
  readonly '~out': Out;
}
/**
 * What a sender gives, of data in a map.
 * @example
 * const line: Sent<TopicsOf<Mesh>['room.42']> = { text: 'ahoy' };
 * await client.publish('room.42', line);
 */
export type Sent<Data> = Data extends Carried<infer In, unknown> ? In : Data;
/**
 * What a receiver gets.
 * @example
 * const show = (message: Got<TopicsOf<Mesh>['room.42']>) => console.log(message.text);
 */
export type Got<Data> = Data extends Carried<unknown, infer Out> ? Out : Data;

type Both<Schema> = [InputOf<Schema>, OutputOf<Schema>] extends [OutputOf<Schema>, InputOf<Schema>]
  ? OutputOf<Schema>
  : Carried<InputOf<Schema>, OutputOf<Schema>>;
/** A pattern as a type of the names that it matches; it may match more than the pattern does. */
export type NamesBy<Pattern extends string> = Pattern extends `${infer Before}.#${infer After}`
  ? `${NamesBy<Before>}${string}${NamesBy<After>}`
  : Pattern extends `${infer Before}${'*' | '#'}${infer After}`
    ? `${NamesBy<Before>}${string}${NamesBy<After>}`
    : Pattern;

type At<Definition, Key extends keyof MeshDefinition> = Definition extends {
  readonly [K in Key]: infer Found extends object;
}
  ? Found
  : Record<never, never>;
type InputsOf<Schemas> = { [Name in keyof Schemas]: InputOf<Schemas[Name]> };
type OutputsOf<Schemas> = { [Name in keyof Schemas]: OutputOf<Schemas[Name]> };
type TopicsBy<Schemas> = {
  [Name in keyof Schemas & string as NamesBy<Name>]: Both<Schemas[Name]>;
};
/** Methods as who asks sees them: it gives the data and gets the rest. */
type Asking<Methods> = {
  [Name in keyof Methods]: {
    [Key in keyof Methods[Name]]: Key extends 'data'
      ? InputOf<Methods[Name][Key]>
      : OutputOf<Methods[Name][Key]>;
  };
};
/** As who answers sees them. */
type Answering<Methods> = {
  [Name in keyof Methods]: {
    [Key in keyof Methods[Name]]: Key extends 'data'
      ? OutputOf<Methods[Name][Key]>
      : InputOf<Methods[Name][Key]>;
  };
};

/**
 * The map of types that a definition is for clients.
 * @example const { useEvent } = createHooks<MeshOf<typeof mesh>>();
 */
export interface MeshOf<Definition extends object> {
  events: OutputsOf<At<Definition, 'events'>>;
  topics: TopicsBy<At<Definition, 'topics'>>;
  requests: Asking<At<Definition, 'requests'>>;
  streams: Asking<At<Definition, 'streams'>>;
  served: Answering<At<Definition, 'served'>>;
}
/**
 * The map of types that a definition is for services.
 * @example
 * type Order = ServiceMeshOf<typeof mesh>['events']['order.created']; // as a service gives it
 */
export interface ServiceMeshOf<Definition extends object> {
  events: InputsOf<At<Definition, 'events'>>;
  topics: TopicsBy<At<Definition, 'topics'>>;
  requests: Answering<At<Definition, 'requests'>>;
  streams: Answering<At<Definition, 'streams'>>;
  served: Asking<At<Definition, 'served'>>;
}

const parts = { requests: ['data', 'reply'], streams: ['data', 'part', 'reply'], served: ['data', 'reply'] };

/**
 * Defines what a mesh carries: one value for clients (`connect({ mesh })`) and services (`createPublisher({ mesh })`), which take their
 * types from it and check what comes in. The schemas are of any library that follows Standard Schema, such as zod 4.
 * @example
 * const mesh = defineMesh({
 *   events: { 'order.created': z.object({ number: z.int() }) },
 *   topics: { 'room.*': z.object({ text: z.string() }) },
 *   requests: { 'shop.price': { data: z.object({ item: z.string() }), reply: z.number() } },
 *   streams: { 'assistant.ask': { data: z.string(), part: z.string() } },
 *   served: { 'order.confirm': { data: z.object({ order: z.int() }), reply: z.boolean() } },
 * });
 * @throws TypeError for a name that cannot be one, and for what is no schema.
 */
export function defineMesh<const Definition extends MeshDefinition>(definition: Definition): Definition {
  const check = (isFine: boolean, where: string, needed: string): void => {
    if (!isFine) throw new TypeError(`defineMesh: ${where} must be ${needed}`);
  };
  check(typeof definition === 'object' && definition !== null, 'the definition', 'an object');
  for (const [kind, named] of Object.entries(definition)) {
    const isKind = kind === 'events' || kind === 'topics' || Object.hasOwn(parts, kind);
    check(isKind, `'${kind}'`, 'events, topics, requests, streams or served');
    for (const [name, of] of Object.entries(named as object)) {
      const where = `${kind}['${name}']`;
      const isName = kind === 'topics' ? isTopicPattern(name) : isTopic(name);
      check(
        kind === 'events' ? name !== '' && !isPattern(name) : isName,
        where,
        'under a name that it can have',
      );
      if (kind === 'events' || kind === 'topics') check(isSchema(of), where, 'a Standard Schema');
      else
        for (const [part, schema] of Object.entries(of as object)) {
          const known: readonly string[] = parts[kind as keyof typeof parts];
          check(known.includes(part), `${where}.${part}`, known.join(', '));
          check(isSchema(schema), `${where}.${part}`, 'a Standard Schema');
        }
    }
  }
  const twice = Object.keys(definition.streams ?? {}).find((name) => name in (definition.requests ?? {}));
  check(twice === undefined, `'${twice}'`, 'in requests or in streams, not in both');
  return definition;
}

/** Something in a definition. `requests` are also those that are answered in parts. */
export type Place =
  | { readonly kind: 'events' | 'topics'; readonly name: string }
  | { readonly kind: 'requests' | 'served'; readonly name: string; readonly part: 'data' | 'part' | 'reply' };

/** The schema there; undefined: it is not defined. A topic's own comes before patterns, those in the order in which they stand. */
export function schemaAt(definition: MeshDefinition | undefined, place: Place): StandardSchema | undefined {
  if (definition === undefined) return undefined;
  const { name } = place;
  if (!('part' in place)) {
    const named = definition[place.kind] ?? {};
    if (Object.hasOwn(named, name)) return named[name];
    if (place.kind === 'events') return undefined;
    const pattern = Object.keys(named).find((each) => isPattern(each) && matches(each, name));
    return pattern === undefined ? undefined : named[pattern];
  }
  const methods =
    place.kind === 'served' ? definition.served : { ...definition.streams, ...definition.requests };
  if (methods === undefined) return undefined;
  const method: StreamDefinition | undefined = Object.hasOwn(methods, name) ? methods[name] : undefined;
  const { part } = place;
  return method?.[part];
}

const shownKinds = { events: 'event', topics: 'topic', requests: 'method', served: 'method' };

/** Data that is not as the mesh defines it: what is told of it. */
export interface WrongData {
  readonly message: string;
  readonly issues: readonly SchemaIssue[];
}

/**
 * Checks a value. Returns what the schema makes of it, at once unless the schema is asynchronous. What is not defined is as it is.
 * @throws what `wrong` makes of what is wrong.
 */
export function checkedAt(
  definition: MeshDefinition | undefined,
  place: Place,
  value: unknown,
  wrong: (what: WrongData) => Error,
): unknown {
  const schema = schemaAt(definition, place);
  if (schema === undefined) return value;
  const taken = (result: SchemaResult): unknown => {
    if (result.issues === undefined) return result.value;
    const { issues } = result;
    const { kind, name } = place;
    const of = 'part' in place && place.part !== 'data' ? `a ${place.part} of the ` : 'the data of ';
    const message = `${of}${shownKinds[kind]} '${name}' is not as the mesh defines it: ${issuesText(issues)}`;
    throw wrong({ message, issues });
  };
  const result = schema['~standard'].validate(value);
  return result instanceof Promise ? result.then(taken) : taken(result);
}
