import { type PrettyOptions, prettyFactory } from 'pino-pretty';

const options: PrettyOptions = {
  // The service's name stands before the event.
  ignore: 'pid,hostname,service,node,v',
  translateTime: 'SYS:HH:MM:ss.l',
  singleLine: true,
};

/**
 * Renders lines of services' logs for a person: time, level, service, event, fields. What is not a JSON log line is
 * shown as it is, behind the service's name.
 */
export function logRenderer(useColours: boolean): (name: string, line: string) => string {
  const byService = new Map<string, (line: string) => string>();
  return (name, line) => {
    if (!line.startsWith('{')) return `${name.padEnd(9)} ${line}\n`;
    let pretty = byService.get(name);
    if (pretty === undefined) {
      pretty = prettyFactory({
        ...options,
        colorize: useColours,
        messageFormat: (log, key) => `${name.padEnd(9)} ${log[key] ?? ''}`,
      });
      byService.set(name, pretty);
    }
    return pretty(line);
  };
}
