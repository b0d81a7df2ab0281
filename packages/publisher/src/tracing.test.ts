import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { findTracing, noTracing } from './tracing.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${spanId}-01`;

/** What an SDK of OpenTelemetry sets up, as far as it matters here. */
function setUp(): void {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...args) => storage.run(active, () => run.call(self, ...args)),
    bind: (_active, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  const propagator: TextMapPropagator = {
    fields: () => ['traceparent'],
    inject: (active, carrier, setter) => {
      const span = trace.getSpanContext(active);
      if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`);
    },
    extract: (active, carrier, getter) => {
      const [, traceId = '', spanId = ''] = String(getter.get(carrier, 'traceparent')).split('-');
      return trace.setSpanContext(active, { traceId, spanId, traceFlags: 1 });
    },
  };
  context.setGlobalContextManager(manager);
  propagation.setGlobalPropagator(propagator);
}

afterEach(() => {
  context.disable();
  propagation.disable();
});

it('the active trace of the application is found, where it has one', async () => {
  setUp();
  const { active } = await findTracing();
  expect(active()).toBeUndefined();
  const span = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
  expect(context.with(span, active)).toEqual({ traceparent });
});

it('a handler runs in the trace of its message, and what it publishes after it has waited is of that too', async () => {
  setUp();
  const { active, within } = await findTracing();
  const later = async () => {
    await Promise.resolve();
    return active();
  };
  expect(await within({ traceparent }, later)).toEqual({ traceparent });
  expect(await within({ traceparent: 'x' }, later)).toBeUndefined();
});

it('without a provider nothing is found, and a handler runs all the same', async () => {
  for (const tracing of [await findTracing(), noTracing]) {
    expect(tracing.active()).toBeUndefined();
    expect(tracing.within({ traceparent }, () => 1)).toBe(1);
  }
});
