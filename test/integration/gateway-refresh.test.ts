import { createHmac } from 'node:crypto';
import { Passes, passHash } from '@evenkeel/access';
import { Mesh } from '@evenkeel/mesh';
import { exchanges, refreshKey } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { secret, startGateway } from './gateway-fixture.js';

const jwtSecret = 'a-secret-of-at-least-32-bytes-for-hs256';
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(claims: object): string {
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ exp: Math.floor(Date.now() / 1_000) + 600, ...claims })}`;
  return `${body}.${createHmac('sha256', jwtSecret).update(body).digest('base64url')}`;
}

/** Asks as an edge does. */
async function edgeAt(amqpUrl: string) {
  const mesh = new Mesh({ url: amqpUrl, name: 'edge', uses: [exchanges.inbound, exchanges.replies] });
  const answers = new Map<string, unknown>();
  const address = 'edge.e1.an-address';
  const queue = mesh.ownQueue({
    name: 'edge.e1.answers',
    bindings: [{ exchange: exchanges.replies, key: address }],
    onDelivery: (delivery) => {
      delivery.ack();
      answers.set(delivery.properties.correlationId ?? '', JSON.parse(delivery.body.toString()));
    },
  });
  const { publisher } = mesh;
  await mesh.start();
  onTestFinished(() => mesh.stop());
  await queue.start();
  let asked = 0;
  return async (question: object) => {
    asked += 1;
    const correlationId = String(asked);
    const properties = { correlationId, replyTo: address, mandatory: true, expiration: 5_000 };
    const send = () => publisher.publish(exchanges.inbound, refreshKey, JSON.stringify(question), properties);
    // Its queue may come a moment after its port.
    await vi.waitUntil(async () => (await send()) === 'routed', { timeout: 10_000 });
    return await vi.waitUntil(() => answers.get(correlationId), { timeout: 10_000 });
  };
}

it('an edge exchanges a new token of the same user for a new pass, over AMQP; another one is refused', async () => {
  const { edgeAmqpUrl, opsUrl } = await startGateway({
    EVENKEEL_AUTH: 'jwt',
    EVENKEEL_JWT_SECRET: jwtSecret,
  });
  const ask = await edgeAt(edgeAmqpUrl);
  const who = { uid: 'alice', sid: 's1' };
  const evenkeel = { subscribe: ['room.42.#'] };
  const rev = Date.now() + 60_000;
  const answer = await ask({ ...who, token: tokenOf({ sub: 'alice', evenkeel }), rev });
  const { pass } = answer as { pass: string };
  expect(answer).toEqual({ ok: true, pass, hash: passHash(pass), rev: rev + 1, exp: expect.any(Number) });
  expect(new Passes([secret]).check(pass, 'alice')).toMatchObject({ grants: evenkeel });
  const refused = { ok: false, code: 'bad-credentials', message: expect.any(String) };
  expect(await ask({ ...who, token: tokenOf({ sub: 'bob' }) })).toEqual(refused);
  expect(await ask({ ...who, token: tokenOf({ sub: 'alice', exp: 1 }) })).toEqual(refused);
  expect(await ask({ ...who, token: 42 })).toEqual(refused);
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
  expect(metrics).toMatch(/evenkeel_gateway_refreshes_total\{[^}]*outcome="refused"[^}]*\} 3/);
});
