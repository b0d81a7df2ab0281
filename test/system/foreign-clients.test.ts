import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { JsonLines, python } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';

const run = promisify(execFile);

/** A WebSocket of another language that knows nothing of us but GET /gateway. */
const bareClient = `
import asyncio, json, sys, urllib.request, websockets
async def main(gateway):
    place = json.load(urllib.request.urlopen(gateway + "/gateway?user=alice"))
    async with websockets.connect(place["url"] + "?ticket=" + place["ticket"]) as ws:
        print(json.dumps({"open": True, "session": place["session"]}), flush=True)
        async for message in ws:
            print(json.dumps({"text": message}), flush=True)
asyncio.run(main(sys.argv[1]))
`;

/** Publishes with a confirm; refused when no queue takes it. */
const pikaPublish = `
import pika, sys
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.confirm_delivery()
for text in sys.argv[3:]:
    channel.basic_publish("mesh.events", sys.argv[2], text.encode(), mandatory=True)
`;

test('what pika and amqp-publish send to mesh.events reaches a bare WebSocket of Python as it is', async () => {
  const mesh = await startTestMesh();
  const client = new JsonLines(python, ['-c', bareClient, mesh.gatewayUrl]);
  await client.until('open', (lines) => lines.length === 1);
  const { session } = client.lines[0] ?? {};
  const texts = () => client.lines.slice(1).map(({ text }) => text);

  // A bare client is not told when it is attached: the first one tries until somebody takes it.
  const publish = (...bodies: string[]) =>
    run(python, ['-c', pikaPublish, mesh.urlFor('app-shop'), 'user.alice.hello', ...bodies], {
      timeout: 20_000,
    });
  await expect
    .poll(() => publish('{"hello": "from pika"}').then(() => 'taken'), { timeout: 20_000 })
    .toBe('taken');
  await client.until(`the event of session ${String(session)}`, () => texts().length === 1);
  await publish('second', 'third – ünïcode');
  await run(
    'amqp-publish',
    ['-u', mesh.urlFor('app-shop'), '-e', 'mesh.events', '-r', 'user.alice.hello', '-b', 'from the shell'],
    { timeout: 20_000 },
  );
  await client.until('four events', () => texts().length >= 4);
  expect(texts()).toEqual(['{"hello": "from pika"}', 'second', 'third – ünïcode', 'from the shell']);
});
