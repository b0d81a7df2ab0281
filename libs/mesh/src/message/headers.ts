import { traceContextOf, wholeMembers } from '@evenkeel/protocol';
import { isoTime } from './time.js';

/** Most that is passed on of a message's headers, bytes: names and values together. */
const headerLimits = {
  /** `x-…`, the application's own. */
  custom: 2_048,
  /** `traceparent`, `tracestate` and CloudEvents attributes. */
  standard: 4_096,
} as const;

const cloudEvents = /^cloudEvents[:_]./;
/** What RabbitMQ and its plugins write themselves. */
const brokersOwn =
  /^x-(?:death|(?:first|last)-death-.+|delay|delivery-count|match|opt-.+|received-from|stream-.+)$/;

/**
 * The members of a frame that carry a message's headers, and its trace context where there is a well-formed one, beginning with a
 * comma; empty: there are none to carry.
 */
export function headersField(headers: Record<string, unknown> | undefined): string {
  if (!headers) return '';
  let found: Record<string, string> | undefined;
  let trace = '';
  let left: Record<'custom' | 'standard', number> | undefined;
  for (const name in headers) {
    const kind = kindOf(name);
    if (kind === undefined) continue;
    if (name === 'traceparent') trace = traceFields(headers);
    let value = textOf(headers[name]);
    if (value !== undefined && name === 'tracestate') value = wholeMembers(value);
    if (value === undefined) continue;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    // Half a value is worse than none.
    left ??= { ...headerLimits };
    if (bytes > left[kind]) continue;
    left[kind] -= bytes;
    found ??= {};
    found[name] = value;
  }
  return found ? `${trace},"headers":${JSON.stringify(found)}` : trace;
}

/** It is asked for every header of every event, so the first letter decides what is looked at. */
function kindOf(name: string): 'custom' | 'standard' | undefined {
  switch (name[0]) {
    case 'x':
      return name[1] !== '-' || brokersOwn.test(name) ? undefined : 'custom';
    case 't':
      return name === 'traceparent' || name === 'tracestate' ? 'standard' : undefined;
    case 'c':
      return cloudEvents.test(name) ? 'standard' : undefined;
    default:
      return undefined;
  }
}

function traceFields(headers: Record<string, unknown>): string {
  const context = traceContextOf(headers);
  if (!context) return '';
  const { traceparent, tracestate } = context;
  const state = tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(tracestate)}`;
  // What is well-formed has nothing in it that JSON would escape.
  return `,"traceparent":"${traceparent}"${state}`;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return isoTime(value);
}
