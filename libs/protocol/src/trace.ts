/** W3C Trace Context, https://www.w3.org/TR/trace-context/: headers of messages on the broker, fields of frames. */

/** Where a message belongs in a trace. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

/** Longest `tracestate` that is passed on, characters: as much as W3C asks for. */
export const maxTracestate = 512;
/** Its members at most. */
const maxMembers = 32;

/** Version 00 has nothing behind the flags; what later versions have there is carried as it is, within reason. */
const wellFormed =
  /^(?!ff|00.{54})[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-[!#-[\]-~]{0,200})?$/;
const member = /^[a-z\d][a-z\d_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/**
 * The trace context among these headers, or fields of a frame; undefined: there is none, or it is not well-formed, which is the same.
 * A `tracestate` that is not well-formed is left out.
 */
export function traceContextOf(from: {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}): TraceContext | undefined {
  const { traceparent } = from;
  if (typeof traceparent !== 'string' || !wellFormed.test(traceparent)) return undefined;
  const tracestate = tracestateOf(from.tracestate);
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

/** By which one event is found in logs and traces. */
export const traceIdOf = ({ traceparent }: TraceContext): string => traceparent.slice(3, 35);

function tracestateOf(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const members = (wholeMembers(given) ?? '').split(',').map((each) => each.trim());
  const kept = members.filter((each) => each !== '');
  if (kept.length === 0 || kept.length > maxMembers) return undefined;
  return kept.every((each) => member.test(each)) ? kept.join(',') : undefined;
}

/** Without its last members where it is too long, as W3C has it; undefined where nothing is left. */
export function wholeMembers(tracestate: string): string | undefined {
  if (tracestate.length <= maxTracestate) return tracestate;
  const end = tracestate.lastIndexOf(',', maxTracestate);
  return end > 0 ? tracestate.slice(0, end) : undefined;
}
