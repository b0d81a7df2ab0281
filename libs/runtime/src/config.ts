import type { z } from 'zod';
import { fileVariableOf, secretText } from './secret-files.js';
import { detailsOf, takesOf } from './setting-details.js';
import { exampleMessage, isOfExample } from './unsafe.js';

/** Settings that cannot be used: one line for each variable at fault. */
export class ConfigError extends Error {
  readonly code = 'config';
  /** The names of the variables at fault. */
  readonly variables: readonly string[];

  constructor(lines: readonly string[], variables: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'ConfigError';
    this.variables = variables;
  }
}

/** Of an object with a field for each setting. */
export type ConfigSchema<C> = z.ZodObject & z.ZodType<C>;

/** One variable, for tables in documents. */
interface ConfigRow {
  variable: string;
  /** As it would be written in the environment; empty when required, `(unset)` when optional. */
  default: string;
  /** The values that it accepts. */
  takes: string;
  description: string;
  isRequired: boolean;
  isSecret: boolean;
}

const PREFIX = 'EVENKEEL_';
const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);
/** Longest value shown in an error, in characters. */
const MAX_SHOWN = 200;

/** `amqpUrl` → `EVENKEEL_AMQP_URL`. */
export function variableOf(key: string): string {
  return PREFIX + key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

/**
 * Reads the variables a schema names and checks them: numbers, booleans (`true/1/yes/on`, `false/0/no/off`)
 * and arrays (comma-separated) are made from their text, an empty variable counts as unset, and defaults
 * come from the schema. Mark what must not be printed with `.meta({ secret: true })`: it may also be in a file that
 * `<VARIABLE>_FILE` names, and one that stands in a document is refused outside of development mode (`auth` is `dev`).
 * Say with `.meta({ takes: '…' })` what a field takes where its type does not tell.
 * @throws ConfigError with a line for each bad variable: its name, what it got and what it takes.
 */
export function loadConfig<C>(schema: ConfigSchema<C>, env: NodeJS.ProcessEnv = process.env): C {
  const raw: Record<string, unknown> = {};
  const lines = new Map<string, string>();
  for (const [key, field] of Object.entries(schema.shape)) {
    const variable = variableOf(key);
    const { kind, isSecret } = detailsOf(field as z.ZodType);
    const { text, fault } = isSecret ? secretText(variable, env) : { text: env[variable] };
    if (fault !== undefined) lines.set(key, ofFile(variable, env, fault));
    if (text !== undefined && text !== '') raw[key] = fromText(text, kind);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) for (const [key, line] of ofExamples(schema, parsed.data, env)) lines.set(key, line);
  if (parsed.success && lines.size === 0) return parsed.data;
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0]);
    const field = schema.shape[key] as z.ZodType | undefined;
    if (field === undefined || lines.has(key)) continue;
    // A value that is right by itself contradicts another: only the schema's own message says how.
    const isRightAlone = field.safeParse(raw[key]).success;
    lines.set(key, explain(key, field, env, isRightAlone ? issue.message : undefined));
  }
  throw new ConfigError([...lines.values()], [...lines.keys()].map(variableOf));
}

/** A line for each secret of an example. What is JSON the services look at themselves. */
function ofExamples<C>(schema: ConfigSchema<C>, config: C, env: NodeJS.ProcessEnv): [string, string][] {
  const values = config as Readonly<Record<string, unknown>>;
  if (values.auth === 'dev') return [];
  return Object.entries(schema.shape).flatMap(([key, shape]): [string, string][] => {
    const field = shape as z.ZodType;
    if (!detailsOf(field).isSecret || !isOfExample(values[key])) return [];
    return [[key, explain(key, field, env, exampleMessage)]];
  });
}

/** One row per variable of the schema, in its order. */
export function describeConfig(schema: z.ZodObject): ConfigRow[] {
  return Object.entries(schema.shape).map(([key, shape]) => {
    const field = shape as z.ZodType;
    const { description, isSecret } = detailsOf(field);
    const accepted = field.safeParse(undefined);
    const shown = accepted.success ? asText(accepted.data) : '';
    return {
      variable: variableOf(key),
      default: isSecret && accepted.success && accepted.data !== undefined ? '(secret)' : shown,
      takes: takesOf(field),
      description,
      isRequired: !accepted.success,
      isSecret,
    };
  });
}

/** What one setting takes, and what it is for, in words. */
export const describeSetting = (field: z.ZodType): { takes: string; description: string } => ({
  takes: takesOf(field),
  description: detailsOf(field).description,
});

/** What may be shown of settings: those that are set, without secrets. */
export function shownSettings<C>(
  schema: ConfigSchema<C>,
  config: C & Record<string, unknown>,
): Record<string, string | number | boolean | string[]> {
  const shownOnes: Record<string, string | number | boolean | string[]> = {};
  for (const [key, field] of Object.entries(schema.shape)) {
    const value = config[key];
    if (detailsOf(field as z.ZodType).isSecret) continue;
    if (Array.isArray(value)) shownOnes[key] = value.map(String);
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      shownOnes[key] = value;
  }
  return shownOnes;
}

/** A value that has been checked, or what is taken in its place, in words. */
export type ParsedSetting<T> = { readonly value: T } | { readonly takes: string };

/** Checks one setting that has come another way than by the environment: as JSON has it, or as text is in the environment. */
export function parseSetting<T>(field: z.ZodType<T>, given: unknown): ParsedSetting<T> {
  const { kind } = detailsOf(field);
  const parsed = field.safeParse(typeof given === 'string' ? fromText(given, kind) : given);
  // Nothing given is no value, though the environment would make it the default.
  if (parsed.success && given !== undefined) return { value: parsed.data };
  return { takes: takesOf(field) };
}

/** In one line: the variable, what it got, what it takes, and what it is for. */
function explain(
  key: string,
  field: z.ZodType,
  env: NodeJS.ProcessEnv,
  contradiction: string | undefined,
): string {
  const { description, isSecret } = detailsOf(field);
  const variable = variableOf(key);
  const text = env[variable];
  const file = isSecret ? env[fileVariableOf(variable)] : undefined;
  const got =
    file !== undefined && file !== ''
      ? `of the file ${file} has a value (not shown) that it cannot use`
      : text === undefined || text === ''
        ? 'is not set'
        : isSecret
          ? 'has a value (not shown) that it cannot use'
          : `is ${shown(text)}`;
  const meaning = description === '' ? '' : ` (${description})`;
  return `${variable} ${got}; ${contradiction ?? `it takes ${takesOf(field)}`}${meaning}`;
}

/** Of the variable that names a file, in one line. */
function ofFile(variable: string, env: NodeJS.ProcessEnv, fault: string): string {
  const name = fileVariableOf(variable);
  return `${name} is ${shown(env[name] ?? '')}; ${fault}`;
}

const shown = (text: string): string =>
  JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

function asText(value: unknown): string {
  if (value === undefined || value === '') return '(unset)';
  if (Array.isArray(value)) return value.length === 0 ? '(unset)' : value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
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
