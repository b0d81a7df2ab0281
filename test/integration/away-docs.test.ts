import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exchanges, userKey } from '@evenkeel/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

const root = join(import.meta.dirname, '..', '..');

/** The program that docs/away.md prints, run as a reader would; returns what it has said so far. */
function startProgram(amqpUrl: string): () => string {
  const text = readFileSync(join(root, 'docs', 'away.md'), 'utf8');
  const program = /```js\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const folder = join(root, '.evenkeel');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `away-${process.pid}.mjs`);
  writeFileSync(file, program);
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, EVENKEEL_APP_AMQP_URL: amqpUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill();
    rmSync(file);
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return () => said;
}

it('the program of docs/away.md pushes what did not arrive, once, and nothing to a user who is there', async () => {
  const mesh = await EdgeMesh.open();
  onTestFinished(() => mesh.close());
  const edge = await mesh.edge('away');
  const said = startProgram(mesh.urlFor('app-shop'));
  const order = (user: string, id: string) =>
    mesh.publisher.publish(exchanges.events, userKey(user, 'order.created'), `{"number":"${id}"}`, {
      contentType: 'application/json',
      messageId: id,
      mandatory: true,
    });
  const consumed = async () => (await mesh.topology.checkQueue('service.shop.away'))?.consumers;
  await expect.poll(consumed, { timeout: 10_000 }).toBe(1);

  const phone = new SessionUnderTest('alice');
  const tablet = new SessionUnderTest('alice');
  const bobs = [new SessionUnderTest('bob'), new SessionUnderTest('bob')] as const;
  const end = async (session: SessionUnderTest, id: string) => {
    const client = await session.attach(edge, {}, {}, { acks: false });
    await order(session.uid, id);
    await client.eventCount(1);
    client.send({ t: 'bye' });
    await client.closed;
  };
  const there = await bobs[0].attach(edge);
  await end(bobs[1], 'has it');
  await end(phone, 'first');
  await end(tablet, 'second');
  await expect.poll(said, { timeout: 10_000 }).toContain('second');
  expect(said().match(/push to alice: order.created/g)).toHaveLength(2);
  expect(said()).not.toContain('bob');
  await there.close();
});
