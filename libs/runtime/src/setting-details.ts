import { z } from 'zod';

/** What a field of a settings schema says of itself. */
interface SettingDetails {
  /** Of zod, without what is wrapped around it: `number`, `boolean`, `array`, `string` … */
  readonly kind: string;
  readonly description: string;
  readonly isSecret: boolean;
}

/** A `.default()` or `.optional()` around a field leaves kind, description and marks on the inside. */
export function detailsOf(field: z.ZodType): SettingDetails {
  const meta = metaOf(field);
  const description = meta.description;
  return {
    kind: kindOf(field),
    description: typeof description === 'string' ? description : '',
    isSecret: meta.secret === true,
  };
}

/** The values that a field accepts, in words: its `.meta({ takes })`, else what its type and bounds tell. */
export function takesOf(field: z.ZodType): string {
  // What `.meta()` says of a field, or of a list's items, is in its JSON schema too.
  return inWords({ ...z.toJSONSchema(field, { unrepresentable: 'any' }), ...metaOf(field) });
}

function innerOf(field: z.ZodType): z.ZodType | undefined {
  const def = field.def as { innerType?: z.ZodType; in?: z.ZodType };
  return def.innerType ?? def.in;
}

function metaOf(field: z.ZodType): Record<string, unknown> {
  const inner = innerOf(field);
  return { ...(inner ? metaOf(inner) : {}), ...field.meta() };
}

function kindOf(field: z.ZodType): string {
  const inner = innerOf(field);
  return inner ? kindOf(inner) : field.def.type;
}

function inWords(schema: z.core.JSONSchema.BaseSchema): string {
  if (typeof schema.takes === 'string') return schema.takes;
  if (schema.enum !== undefined) return alternatives(schema.enum.map(String));
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${rangeOf(schema)}`;
    case 'number':
      return `a number${rangeOf(schema)}`;
    case 'array':
      return `a list, separated by commas, each ${inWords(schema.items as z.core.JSONSchema.BaseSchema)}`;
    default:
      return `text${lengthOf(schema)}`;
  }
}

function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function rangeOf({ minimum, maximum, exclusiveMinimum }: z.core.JSONSchema.BaseSchema): string {
  const least = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  const bounds = [
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(least === undefined ? [] : [`of at least ${least}`]),
    ...(most === undefined ? [] : [`of at most ${most}`]),
  ];
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

function lengthOf({ minLength, maxLength }: z.core.JSONSchema.BaseSchema): string {
  const bounds = [
    ...(minLength === undefined ? [] : [`at least ${minLength}`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength}`]),
  ];
  return bounds.length === 0 ? '' : ` of ${bounds.join(' and ')} characters`;
}
