import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SpanExporter } from './exporter.js';
import { type SpanRecord, spansOf } from './spans.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function spans() {
  const ended: SpanRecord[] = [];
  const clock = { ms: 1_760_000_000_000.25 };
  return {
    ended,
    clock,
    begin: spansOf(
      (span) => ended.push(span),
      () => clock.ms,
    ),
  };
}

function make(answer: () => Response | Error = () => new Response('{}')) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const requests: { url: string; headers: unknown; count: number; body: string }[] = [];
  const warnings: string[] = [];
  const exporter = new SpanExporter({
    resource: { 'service.name': 'evenkeel-edge' },
    url: 'http://collector/v1/traces',
    headers: { authorization: 'secret' },
    log: { warn: (_fields: object, message = '') => void warnings.push(message) },
    fetch: async (url, init) => {
      const body = String(init.body);
      const { scopeSpans } = JSON.parse(body).resourceSpans[0];
      requests.push({ url: String(url), headers: init.headers, count: scopeSpans[0].spans.length, body });
      const answered = answer();
      if (answered instanceof Error) throw answered;
      return { response: answered, body: Buffer.from(await answered.arrayBuffer()) };
    },
  });
  const { begin, ended } = spans();
  const add = (count: number): void => {
    for (let n = 0; n < count; n += 1) {
      begin('evenkeel deliver', { traceparent }, {})?.end();
      exporter.add(ended.at(-1) as SpanRecord);
    }
  };
  return { exporter, requests, warnings, add };
}

describe('a span', () => {
  it('is a child of what the publisher has sent, with what became of it', () => {
    const { ended, clock, begin } = spans();
    const span = begin(
      'evenkeel deliver',
      { traceparent, tracestate: 'shop=7' },
      { 'evenkeel.session': 's' },
    );
    clock.ms += 2;
    span?.addEvent('written');
    clock.ms += 1;
    span?.end();
    expect(ended).toEqual([
      {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        parentSpanId: 'b7ad6b7169203331',
        spanId: expect.stringMatching(/^[\da-f]{16}$/),
        traceState: 'shop=7',
        flags: 1,
        name: 'evenkeel deliver',
        kind: 5,
        startTimeUnixNano: '1760000000000250000',
        endTimeUnixNano: '1760000000003250000',
        attributes: [{ key: 'evenkeel.session', value: { stringValue: 's' } }],
        events: [{ name: 'written', timeUnixNano: '1760000000002250000' }],
      },
    ]);
  });

  it('is made only where the publisher has sampled', () => {
    const { begin } = spans();
    expect(begin('n', { traceparent: traceparent.replace(/01$/, '00') }, {})).toBeUndefined();
    expect(begin('n', { traceparent: traceparent.replace(/01$/, '03') }, {})).toBeDefined();
  });
});

describe('spans', () => {
  it('are exported every 5 s, and at once when 512 wait, with what the collector wants to be told', async () => {
    const { exporter, requests, add } = make();
    exporter.start();
    onTestFinished(() => exporter.stop());
    add(3);
    await vi.advanceTimersByTimeAsync(5_000);
    add(512);
    await vi.advanceTimersByTimeAsync(0);
    expect(requests.map(({ count }) => count)).toEqual([3, 512]);
    expect(requests[0]).toMatchObject({
      url: 'http://collector/v1/traces',
      headers: { authorization: 'secret', 'content-type': 'application/json' },
    });
  });

  it('are bounded in number, and lost where the collector does not take them, which is logged once', async () => {
    const { exporter, requests, warnings, add } = make(() => new Error('refused'));
    add(5_000);
    await exporter.stop();
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(512 + 2_048);
    expect([exporter.lost, warnings.length]).toEqual([5_000, 1]);
  });

  it('that wait are exported before the end', async () => {
    const { exporter, requests, add } = make();
    exporter.start();
    add(7);
    await exporter.stop();
    expect(requests.map(({ count }) => count)).toEqual([7]);
  });
});
