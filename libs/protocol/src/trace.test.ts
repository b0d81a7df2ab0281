import { describe, expect, it } from 'vitest';
import { maxTracestate, traceContextOf, traceIdOf } from './trace.js';

const id = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${id}-b7ad6b7169203331-01`;

describe('a trace context', () => {
  it('is what W3C calls well-formed, and names the trace', () => {
    expect(traceContextOf({ traceparent, tracestate: 'vendor=1' })).toEqual({
      traceparent,
      tracestate: 'vendor=1',
    });
    expect(traceContextOf({ traceparent })).toEqual({ traceparent });
    expect(traceIdOf({ traceparent })).toBe(id);
  });

  it('of a later version may have more behind the flags', () => {
    const later = `cc-${id}-b7ad6b7169203331-01-what-the-future-brings`;
    expect(traceContextOf({ traceparent: later })).toEqual({ traceparent: later });
  });

  it.each<[string, unknown]>([
    ['of a version that there cannot be', `ff-${id}-b7ad6b7169203331-01`],
    ['of version 00 with more behind the flags', `${traceparent}-1`],
    ['with a trace id of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['with a parent id of zeros', `00-${id}-${'0'.repeat(16)}-01`],
    ['in upper case', traceparent.toUpperCase()],
    ['too short', '00-1'],
    ['with a line behind it', `${traceparent}\n`],
    ['of a later version without a dash', `cc-${id}-b7ad6b7169203331-01x`],
    ['of a later version without an end', `cc-${id}-b7ad6b7169203331-01-${'x'.repeat(1_000)}`],
    ['with what JSON would escape', `cc-${id}-b7ad6b7169203331-01-"`],
    ['no text', 5],
    ['a table', { traceparent }],
    ['absent', undefined],
  ])('is none: %s', (_what, given) => {
    expect(traceContextOf({ traceparent: given, tracestate: 'vendor=1' })).toBeUndefined();
  });
});

describe('its tracestate', () => {
  const of = (tracestate: unknown) => traceContextOf({ traceparent, tracestate })?.tracestate;

  it('has whole members, 512 characters at most', () => {
    const members = Array.from({ length: 32 }, (_, n) => `vendor${n}=${'v'.repeat(20)}`);
    const kept = of(members.join()) ?? '';
    expect(kept.length).toBeLessThanOrEqual(maxTracestate);
    expect(`${members.join()},`.startsWith(`${kept},`)).toBe(true);
  });

  it('is left out, and nothing else, where it is not well-formed', () => {
    for (const wrong of ['s', '=v', 'k=', 'Upper=1', 'k=a=b', 'x'.repeat(60_000), '', ' , ', 5, null])
      expect(traceContextOf({ traceparent, tracestate: wrong })).toEqual({ traceparent });
    const two = 'rojo=00f067aa0ba902b7,t61@congo=a "quoted\\ one"';
    expect(of(two)).toBe(two);
    expect(of(two.replace(',', ' , ,\t'))).toBe(two);
    expect(of(Array.from({ length: 33 }, (_, n) => `k${n}=1`).join())).toBeUndefined();
  });
});
