/** What is used of Standard Schema (https://standardschema.dev), version 1: zod 4, Valibot, ArkType and others make such schemas. */

/**
 * What is wrong with a value, and where in it.
 * @example
 * const shown = ({ path = [], message }: SchemaIssue) => `${path.join('.')}: ${message}`;
 */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
/**
 * What comes of a check: the value, maybe another one, or what is wrong.
 * @example
 * const isFine = (result: SchemaResult) => result.issues === undefined;
 */
export type SchemaResult<Output = unknown> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/**
 * A schema of any library that follows the standard. `Input` is what it takes, `Output` what it makes of that.
 * @example
 * const name: StandardSchema<string> = z.string(); // of zod, Valibot, ArkType, …
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Types<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Found } }
  ? NonNullable<Found>
  : never;
/** What a schema takes: what is sent. */
export type InputOf<Schema> = Types<Schema> extends { readonly input: infer Input } ? Input : unknown;
/** What a schema makes of it: what a receiver gets. */
export type OutputOf<Schema> = Types<Schema> extends { readonly output: infer Output } ? Output : unknown;

/** Whether it can check values. Some libraries make schemas that are functions. */
export function isSchema(value: unknown): value is StandardSchema {
  const isThing = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const standard = isThing ? (value as Partial<StandardSchema>)['~standard'] : undefined;
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/** Issues told at most, and characters of each. */
const maxTold = 3;
const maxChars = 120;

/** What is wrong, as one sentence: `number: expected number, received string; …`. */
export function issuesText(issues: readonly SchemaIssue[]): string {
  const told = issues.slice(0, maxTold).map(({ path = [], message }) => {
    const where = path.map((each) => String(typeof each === 'object' ? each.key : each)).join('.');
    return `${where && `${where}: `}${message}`.slice(0, maxChars);
  });
  const more = issues.length - told.length;
  return told.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
