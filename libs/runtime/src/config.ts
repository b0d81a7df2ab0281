import type { z } from 'zod';

/** Every variable that is wrong, in one message. */
export class ConfigError extends Error {
  readonly code = 'config';
  /** The names of the variables at fault. */
  readonly variables: readonly string[];

  constructor(message: string, variables: readonly string[]) {
    super(message);
    this.name = 'ConfigError';
    this.variables = variables;
  }
}

/** One variable, for tables in documents. */
export interface ConfigRow {
  variable: string;
  /** As it would be written in the environment; empty when required, `(unset)` when optional. */
  default: string;
  description: string;
  isRequired: boolean;
  isSecret: boolean;
}

/** What {@link loadConfig} may be told. */
export interface LoadOptions {
  /** Default `EVENKEEL_`. */
  prefix?: string;
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
}

const PREFIX = 'EVENKEEL_';
const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** `amqpUrl` → `EVENKEEL_AMQP_URL`. */
export function variableOf(key: string, prefix: string = PREFIX): string {
  return prefix + key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

/**
 * Reads the variables a schema names and checks them: numbers, booleans (`true/1/yes/on`, `false/0/no/off`)
 * and arrays (comma-separated) are made from their text, an empty variable counts as unset, and defaults
 * come from the schema. Mark what must not be printed with `.meta({ secret: true })`.
 * @throws ConfigError naming every bad variable, what it wants and its default.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, options: LoadOptions = {}): z.output<S> {
  const { prefix = PREFIX, env = process.env } = options;
  const raw: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(schema.shape)) {
    const text = env[variableOf(key, prefix)];
    if (text !== undefined && text !== '') raw[key] = fromText(text, kindOf(field as z.ZodType));
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const rows = new Map(describeConfig(schema, prefix).map((row) => [row.variable, row]));
  const variables = new Set<string>();
  const lines = parsed.error.issues.map((issue) => {
    const variable = issue.path.length > 0 ? variableOf(String(issue.path[0]), prefix) : prefix;
    variables.add(variable);
    const row = rows.get(variable);
    const given = env[variable];
    const shown = given === undefined || given === '' ? 'not set' : row?.isSecret ? 'set' : `"${given}"`;
    // The message of an issue may quote what was given.
    const wants = row?.isSecret && given ? 'not acceptable' : issue.message;
    const details = [row?.description, row?.default ? `default ${row.default}` : row && 'required'];
    const explained = details.filter((detail) => detail).join('; ');
    return `  ${variable} is ${shown}: ${wants}${explained === '' ? '' : ` (${explained})`}`;
  });
  throw new ConfigError(`Set these environment variables right and start again:\n${lines.join('\n')}`, [
    ...variables,
  ]);
}

/** One row per variable of the schema, in its order. */
export function describeConfig(schema: z.ZodObject, prefix: string = PREFIX): ConfigRow[] {
  return Object.entries(schema.shape).map(([key, shape]) => {
    const field = shape as z.ZodType;
    const isSecret = metaOf(field)?.secret === true;
    const accepted = field.safeParse(undefined);
    const shown = accepted.success ? asText(accepted.data) : '';
    return {
      variable: variableOf(key, prefix),
      default: isSecret && accepted.success && accepted.data !== undefined ? '(secret)' : shown,
      description: descriptionOf(field) ?? '',
      isRequired: !accepted.success,
      isSecret,
    };
  });
}

function asText(value: unknown): string {
  if (value === undefined || value === '') return '(unset)';
  if (Array.isArray(value)) return value.length === 0 ? '(unset)' : value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function innerOf(field: z.ZodType): z.ZodType | undefined {
  const def = field.def as { innerType?: z.ZodType; in?: z.ZodType };
  return def.innerType ?? def.in;
}

/** Wrapping a described field, as `.default()` does, leaves its description on the inside. */
function metaOf(field: z.ZodType): Record<string, unknown> | undefined {
  const inner = innerOf(field);
  return { ...(inner ? metaOf(inner) : {}), ...field.meta() };
}

function descriptionOf(field: z.ZodType): string | undefined {
  const description = metaOf(field)?.description;
  return typeof description === 'string' ? description : undefined;
}

function kindOf(field: z.ZodType): string {
  const inner = innerOf(field);
  return inner ? kindOf(inner) : field.def.type;
}

function fromText(text: string, kind: string): unknown {
  switch (kind) {
    case 'number':
    case 'int': {
      const number = Number(text);
      return text.trim() === '' || Number.isNaN(number) ? text : number;
    }
    case 'boolean': {
      const word = text.toLowerCase();
      return TRUE.has(word) ? true : FALSE.has(word) ? false : text;
    }
    case 'array':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    default:
      return text;
  }
}
