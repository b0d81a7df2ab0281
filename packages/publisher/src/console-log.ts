import type { Log } from '@evenkeel/broker';
import { LogLimits, monotonicNow } from '@evenkeel/pace';

/** One of a kind in this time, ms; the others are counted. */
const everyMs = 60_000;
/** Kinds that are told apart; beyond, all others are one. */
const maxKinds = 256;

/**
 * What is logged where no `log` is given: warnings and errors go to the console, each kind once a minute, so that nothing fails
 * in silence and nothing floods.
 */
export function consoleLog(name: string, print: (text: string) => void = console.error): Log {
  const limits = new LogLimits(everyMs, maxKinds);
  const tell = (fields: object, message: string): void => {
    const queue = 'queue' in fields ? String(fields.queue) : '';
    const held = limits.pass(`${queue} ${message}`, monotonicNow());
    if (held === undefined) return;
    const more = held > 0 ? ` (and ${held} more like it since)` : '';
    const told = Object.entries(fields).map(([field, value]) => `\n  ${field}: ${textOf(value)}`);
    print(`evenkeel, service "${name}": ${message}${more}${told.join('')}`);
  };
  return { debug() {}, info() {}, warn: tell, error: tell };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
