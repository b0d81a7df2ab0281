import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** A pino logger. */
export type Log = Logger;

/** The least level that is written; `silent`: nothing. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `json`: one object a line, for machines. `pretty`: for reading by eye. */
export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

/** What every line of a log carries and how it looks. */
interface LogOptions {
  service: string;
  node?: string | undefined;
  level: LogLevel;
  format: LogFormat;
  /** Where to. Default: standard output. */
  destination?: NodeJS.WritableStream | undefined;
}

/** A log whose lines carry `service`, `node`, `level` as a word and `time` in ISO 8601. */
export function createLog({ service, node, level, format, destination }: LogOptions): Log {
  const settings = {
    level,
    base: { service, ...(node === undefined ? {} : { node }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === 'pretty') {
    const stream = PinoPretty({
      sync: true,
      ignore: 'service,node',
      messageFormat: node === undefined ? '{service} {msg}' : '{service}/{node} {msg}',
      ...(destination ? { destination } : {}),
    });
    return pino(settings, stream);
  }
  // Pino's own destination waits without end on a standard output whose reader has died.
  return pino(settings, destination ?? process.stdout);
}
