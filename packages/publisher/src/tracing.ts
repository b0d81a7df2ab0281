import { type TraceContext, traceContextOf } from '@evenkeel/protocol/wire';

/** The trace that the application is at work in, as far as it tells. */
export interface Tracing {
  /** Of the active span; undefined: there is none. */
  active(): TraceContext | undefined;
  /** Runs what a message has caused in the trace that the message belongs to. */
  within<Value>(headers: Readonly<Record<string, unknown>>, run: () => Value): Value;
}

/** Of an application that does not trace: what comes with a message is carried, and nothing is made. */
export const noTracing: Tracing = { active: () => undefined, within: (_headers, run) => run() };

/** By `@opentelemetry/api`, where the application has it; until it has set a provider up, that does nothing. */
export async function findTracing(): Promise<Tracing> {
  try {
    const { context, propagation } = await import('@opentelemetry/api');
    return {
      active: () => {
        const carrier = {};
        propagation.inject(context.active(), carrier);
        return traceContextOf(carrier);
      },
      within: (headers, run) => {
        const found = traceContextOf(headers);
        return found ? context.with(propagation.extract(context.active(), found), run) : run();
      },
    };
  } catch {
    // It is not there, or cannot be imported: where tests run in a module system of their own, say.
    return noTracing;
  }
}
