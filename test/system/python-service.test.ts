import { connect } from '@evenkeel/client';
import { expect, onTestFinished, test } from 'vitest';
import { JsonLines, python } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';

/** A service of another language, from the protocol's text alone: serves what it may, answers by mesh.replies, and says what it saw. */
const pikaService = `
import json, pika, sys
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.confirm_delivery()
channel.queue_declare("service.shop.python", auto_delete=True, durable=True)
channel.queue_bind("service.shop.python", "mesh.inbound", "shop.#")

def on_message(channel, method, properties, body):
    seen = {"type": properties.type, "key": method.routing_key, "user": properties.headers["evenkeel-user"],
            "data": json.loads(body), "exchange": properties.headers.get("evenkeel-reply-exchange")}
    if properties.type == "request":
        if method.routing_key == "shop.sum":
            headers, answer, kind = None, json.dumps(sum(seen["data"])), "application/json"
        else:
            headers, answer, kind = {"evenkeel-error": "sold-out"}, "none left", "text/plain"
        channel.basic_publish("mesh.replies", properties.reply_to, answer.encode(), pika.BasicProperties(
            correlation_id=properties.correlation_id, content_type=kind, headers=headers), mandatory=True)
    channel.basic_ack(method.delivery_tag)
    print(json.dumps(seen), flush=True)

channel.basic_consume("service.shop.python", on_message)
print(json.dumps({"serving": True}), flush=True)
channel.start_consuming()
`;

test('a service in Python with the rights of one application takes publishes and requests by their type, and answers by mesh.replies', async () => {
  const mesh = await startTestMesh();
  const service = new JsonLines(python, ['-c', pikaService, mesh.urlFor('app-shop')]);
  await service.until('serving', (lines) => lines.length === 1);
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice' });
  onTestFinished(() => client.close());

  expect(await client.request('shop.sum', [1, 2])).toBe(3);
  await client.publish('shop.sum', [4]);
  await expect(client.request('shop.buy', 'tea')).rejects.toMatchObject({
    code: 'sold-out',
    message: 'none left',
  });
  await service.until('all three', (lines) => lines.length === 4);
  const asked = { user: 'alice', exchange: 'mesh.replies', type: 'request' };
  expect(service.lines.slice(1)).toEqual([
    { ...asked, key: 'shop.sum', data: [1, 2] },
    { ...asked, type: 'publish', exchange: null, key: 'shop.sum', data: [4] },
    { ...asked, key: 'shop.buy', data: 'tea' },
  ]);
});
