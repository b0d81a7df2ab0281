import { parseArgs } from 'node:util';
import type { BrokerChoice } from '../broker/resolve.js';
import { Failure } from '../failure.js';

/** A wrong use of a command: exit status 2. */
export class UsageError extends Failure {
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
  }
}

interface Spec {
  readonly type: 'string' | 'boolean';
  readonly default?: string | boolean;
}

/** What a flag's specification makes of it: always a value where there is a default. */
type Flags<T> = {
  [Name in keyof T]:
    | (T[Name] extends { type: 'string' } ? string : boolean)
    | (T[Name] extends { default: string | boolean } ? never : undefined);
};

/** The flags of a command line; anything that `options` does not name is a usage error. */
export function parseFlags<const T extends Record<string, Spec>>(
  args: readonly string[],
  options: T,
): Flags<T> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
      .values as unknown as Flags<T>;
  } catch (cause) {
    const message = (cause instanceof Error ? cause.message : String(cause)).split('. ')[0];
    throw new UsageError(`${message}. --help lists the flags.`);
  }
}

/** A whole number within bounds, for the flag of that name. */
export function wholeNumber(flag: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw new UsageError(`${flag} takes a whole number from ${minimum} to ${maximum}, not "${text}".`);
}

/** Checks the value of `--broker`. */
export function brokerChoice(text: string): BrokerChoice {
  if (text === 'auto' || text === 'container' || text === 'local') return text;
  throw new UsageError(`--broker takes auto, container or local, not "${text}".`);
}

/** Prints a failure as its message alone, anything else with its stack; returns the exit status. */
export function reportFailure(error: unknown): number {
  if (error instanceof Failure) process.stderr.write(`\n${error.message}\n`);
  else process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

/** The exit status of a command: its own, or that of its failure, which is printed. */
export async function statusOf(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    return reportFailure(error);
  }
}

/** Parts a command line into flags (with their values) and trailing words that are none. */
export function splitPositionals(
  args: readonly string[],
  /** Flags that take no value. */
  switches: readonly string[] = ['--help'],
): { flagArgs: string[]; positionals: string[] } {
  const flagArgs: string[] = [];
  const positionals: string[] = [];
  let isValue = false;
  for (const arg of args) {
    const isFlag = arg.startsWith('-');
    if (isFlag || isValue) flagArgs.push(arg);
    else positionals.push(arg);
    isValue = isFlag && !arg.includes('=') && !switches.includes(arg);
  }
  return { flagArgs, positionals };
}
