import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** A pino logger. */
export type Log = Logger;

/** What every line of a log carries and how it looks. */
export interface LogOptions {
  service: string;
  node?: string | undefined;
  /** Default: `EVENKEEL_LOG_LEVEL`, else `info`. `silent` writes nothing. */
  level?: string | undefined;
  /** For reading by eye. Default: whether `EVENKEEL_LOG_FORMAT` is `pretty`. */
  pretty?: boolean | undefined;
  /** Where to. Default: standard output. */
  destination?: NodeJS.WritableStream | undefined;
}

/** One JSON object per line with `service`, `node`, `level` as a word and `time` in ISO 8601. */
export function createLog(options: LogOptions): Log {
  const pretty = options.pretty ?? process.env.EVENKEEL_LOG_FORMAT === 'pretty';
  const settings = {
    level: options.level ?? process.env.EVENKEEL_LOG_LEVEL ?? 'info',
    base: { service: options.service, ...(options.node === undefined ? {} : { node: options.node }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (pretty) {
    const stream = PinoPretty({
      sync: true,
      ignore: 'service,node',
      messageFormat: options.node === undefined ? '{service} {msg}' : '{service}/{node} {msg}',
      ...(options.destination ? { destination: options.destination } : {}),
    });
    return pino(settings, stream);
  }
  // Pino's own destination waits without end on a standard output whose reader has died.
  return pino(settings, options.destination ?? process.stdout);
}
