import { isoTime } from './time.js';

/** Most that is passed on of a message's headers, bytes: names and values together. */
const headerLimits = {
  /** `x-…`, the application's own. */
  custom: 2_048,
  /** `traceparent`, `tracestate` and CloudEvents attributes. */
  standard: 4_096,
  /** `tracestate` of it: as much as W3C asks to be passed on. */
  tracestate: 512,
} as const;

const standard = /^(?:traceparent|tracestate|cloudEvents[:_].+)$/;
/** What RabbitMQ and its plugins write themselves. */
const brokersOwn =
  /^x-(?:death|(?:first|last)-death-.+|delay|delivery-count|match|opt-.+|received-from|stream-.+)$/;

/** The member of a frame that carries a message's headers, beginning with a comma; empty: there are none to carry. */
export function headersField(headers: Record<string, unknown> | undefined): string {
  if (!headers) return '';
  let found: Record<string, string> | undefined;
  const left: Record<'custom' | 'standard', number> = { ...headerLimits };
  for (const name in headers) {
    const kind = kindOf(name);
    if (kind === undefined) continue;
    let value = textOf(headers[name]);
    if (value !== undefined && name === 'tracestate') value = shortened(value);
    if (value === undefined) continue;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    // Half a value is worse than none.
    if (bytes > left[kind]) continue;
    left[kind] -= bytes;
    found ??= {};
    found[name] = value;
  }
  return found ? `,"headers":${JSON.stringify(found)}` : '';
}

function kindOf(name: string): 'custom' | 'standard' | undefined {
  if (name.startsWith('x-')) return brokersOwn.test(name) ? undefined : 'custom';
  return standard.test(name) ? 'standard' : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return isoTime(value);
}

/** Without its last members, as W3C has it; undefined where nothing is left. */
function shortened(tracestate: string): string | undefined {
  if (tracestate.length <= headerLimits.tracestate) return tracestate;
  const end = tracestate.lastIndexOf(',', headerLimits.tracestate);
  return end > 0 ? tracestate.slice(0, end) : undefined;
}
