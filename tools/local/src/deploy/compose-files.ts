import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
type Mapping = { readonly [key: string]: Value };

/** A service as a compose file has it, with what it extends. */
export interface ComposeService extends Mapping {}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Mapping;
}

/** Reads a compose file; `extends` is followed, as Compose does: mappings are merged, lists joined, the rest replaced. */
export function readComposeFile(path: string): ComposeFile {
  const { services = {}, secrets = {}, volumes = {} } = parsed(path);
  const whole = Object.keys(services as Mapping).map((name) => [name, serviceOf(path, name)]);
  return { services: Object.fromEntries(whole), secrets, volumes } as ComposeFile;
}

const parsed = (path: string): Mapping => parse(readFileSync(path, 'utf8'), { merge: true }) as Mapping;

function serviceOf(path: string, name: string): ComposeService {
  const own = (parsed(path).services as Mapping)[name];
  if (!isMapping(own)) throw new Error(`${path} has no service ${name}`);
  const { extends: from, ...rest } = own;
  if (!isMapping(from)) return rest;
  const file = typeof from.file === 'string' ? join(dirname(path), from.file) : path;
  return merged(serviceOf(file, String(from.service)), rest) as ComposeService;
}

function merged(base: Value | undefined, over: Value): Value {
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over];
  if (!isMapping(base) || !isMapping(over)) return over;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(over)])];
  return Object.fromEntries(
    keys.map((key) => [key, key in over ? merged(base[key], over[key] ?? null) : (base[key] ?? null)]),
  );
}

const isMapping = (value: Value | undefined): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A time as compose files write it, `60s` or `1m30s`, in seconds. */
export function secondsOf(time: string): number {
  const parts = [...time.matchAll(/(\d+)(m|s)/g)];
  if (parts.map(([part]) => part).join('') !== time) throw new Error(`${time} is no time`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unit === 'm' ? 60 : 1), 0);
}
