import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exchanges, userKey } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

interface ExportedSpan {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly events: readonly { readonly name: string }[];
}

/** A collector of OpenTelemetry; `spans`: what has come. */
async function startCollector() {
  const spans: ExportedSpan[] = [];
  const requests: { path: string | undefined; token: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    requests.push({ path: request.url, token: request.headers.authorization });
    for (const { scopeSpans } of JSON.parse(body).resourceSpans) spans.push(...scopeSpans[0].spans);
    response.setHeader('content-type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { spans, requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it('an edge exports a span of each sampled event, a child of what its publisher has sent, and none of the others', async () => {
  const collector = await startCollector();
  const mesh = await EdgeMesh.open();
  onTestFinished(() => mesh.close());
  const edge = await mesh.edge('e1', {
    OTEL: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t',
  });
  const session = new SessionUnderTest('alice');
  const client = await session.attach(edge, { topics: ['news'] });
  const traceOf = (n: number) => `${n}af7651916cd43dd8448eb211c80319c`;
  const publish = (key: string, traceparent: string) =>
    mesh.publisher.publish(exchanges.events, key, '1', { headers: { traceparent }, messageId: traceparent });
  await publish(userKey(session.uid, 'n'), `00-${traceOf(1)}-b7ad6b7169203331-01`);
  await publish(userKey(session.uid, 'n'), `00-${traceOf(2)}-b7ad6b7169203331-00`);
  await publish('topic.news', `00-${traceOf(3)}-b7ad6b7169203331-01`);
  await client.eventCount(2);
  client.send({ t: 'ack', seq: 2 });

  await vi.waitFor(() => expect(collector.spans).toHaveLength(2), { timeout: 20_000, interval: 50 });
  const byTrace = collector.spans.toSorted((a, b) => a.traceId.localeCompare(b.traceId));
  expect(byTrace).toMatchObject([
    {
      traceId: traceOf(1),
      parentSpanId: 'b7ad6b7169203331',
      name: 'evenkeel deliver',
      events: [{ name: 'written' }, { name: 'acknowledged' }],
    },
    { traceId: traceOf(3), parentSpanId: 'b7ad6b7169203331', name: 'evenkeel fan out' },
  ]);
  expect(collector.requests[0]).toEqual({ path: '/v1/traces', token: 'Bearer t' });
  await client.close();
});
