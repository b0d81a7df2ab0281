import { expect, it, vi } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { JsonLines, python } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';
import { servePages } from '../support/page-server.js';

const newWindow = useBrowser();

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

/** A publisher of another language: one event of a trace, and one whose trace context is none. */
const pikaPublisher = `
import json, pika, sys
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.confirm_delivery()
for number, traceparent in enumerate(sys.argv[2:]):
    channel.basic_publish("mesh.events", "user.alice.order.created", str(number).encode(), pika.BasicProperties(
        message_id="order-%d" % number, content_type="application/json",
        headers={"traceparent": traceparent, "tracestate": "shop=7"}), mandatory=True)
print(json.dumps({"published": True}), flush=True)
`;

/** A service of another language, which says what trace a request is of, and that its reply is of the same. */
const pikaService = `
import json, pika, sys
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.queue_declare("service.shop.trace", auto_delete=True, durable=True)
channel.queue_bind("service.shop.trace", "mesh.inbound", "shop.trace")
def on_message(channel, method, properties, body):
    traceparent = properties.headers.get("traceparent")
    channel.basic_publish("mesh.replies", properties.reply_to, json.dumps(traceparent).encode(), pika.BasicProperties(
        correlation_id=properties.correlation_id, headers={"traceparent": traceparent}))
    channel.basic_ack(method.delivery_tag)
channel.basic_consume("service.shop.trace", on_message)
print(json.dumps({"serving": True}), flush=True)
channel.start_consuming()
`;

it('an event, and a request, are followed by one trace id from program to program: in the page, in the service, in the log of the edge', async () => {
  const lines: string[] = [];
  const mesh = await startTestMesh({
    balancer: false,
    env: { EVENKEEL_LOG_LEVEL: 'debug', EVENKEEL_LOG_FORMAT: 'json' },
    onLine: (_name, line) => lines.push(line),
  });
  const context = await newWindow();
  const page = await context.newPage();
  const query = new URLSearchParams({ gateway: mesh.gatewayUrl, user: 'alice' });
  await page.goto(`${await servePages()}/trace.html?${query}`);
  await page.evaluate('client.ready()');

  const app = mesh.urlFor('app-shop');
  const publisher = new JsonLines(python, ['-c', pikaPublisher, app, traceparent, 'no trace']);
  await publisher.until('published', (said) => said.length === 1);
  await page.waitForFunction('events.length === 2');
  const [traced, other] = await page.evaluate<Record<string, unknown>[]>('events');
  expect(traced).toMatchObject({ id: 'order-0', data: 0, traceparent, tracestate: 'shop=7' });
  expect(other).toMatchObject({ id: 'order-1', data: 1 });
  expect(other).not.toHaveProperty('traceparent');
  expect(other).not.toHaveProperty('tracestate');

  const service = new JsonLines(python, ['-c', pikaService, app]);
  await service.until('serving', (said) => said.length === 1);
  const asked = `client.request('shop.trace', 1, { traceparent: '${traceparent}' })`;
  expect(await page.evaluate(asked)).toBe(traceparent);
  expect(await page.evaluate("client.request('shop.trace', 1, { traceparent: 'no trace' })")).toBe(null);

  const session = await page.evaluate<string>('client.session');
  const steps = () =>
    lines.filter((line) => line.includes(traceId)).map((line) => JSON.parse(line) as Record<string, unknown>);
  const event = ['event received', 'event written', 'event acknowledged'];
  const handedOn = 'request handed on';
  const said = () => steps().map(({ msg }) => msg);
  await vi.waitFor(
    () => {
      // The reply may be quicker than the broker's word on the request.
      expect(said().filter((msg) => msg === handedOn)).toHaveLength(1);
      expect(said().filter((msg) => msg !== handedOn)).toEqual([...event, ...event]);
    },
    { timeout: 20_000, interval: 50 },
  );
  for (const step of steps()) expect(step).toMatchObject({ trace: traceId, session, user: 'alice' });
});
