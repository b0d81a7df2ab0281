import { connect } from '@evenkeel/client';
import { createOperator } from 'evenkeel';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startTestMesh } from '../support/mesh.js';

/** What a log says of one session. */
interface Line {
  readonly process: string;
  readonly msg: string;
  readonly session?: string;
  readonly user?: string;
  readonly plan?: string;
  readonly [field: string]: unknown;
}

const patience = { timeout: 30_000, interval: 50 };

it('one session is followed by its id at the level debug: placed, attached, asked of a service, moved with a plan, and ended', async () => {
  const lines: Line[] = [];
  const written: string[] = [];
  const mesh = await startTestMesh({
    edges: 2,
    demo: true,
    env: { EVENKEEL_LOG_LEVEL: 'debug', EVENKEEL_MODE: 'manual' },
    onLine: (process, line) => {
      if (!line.startsWith('{')) return;
      written.push(line);
      lines.push({ process, ...JSON.parse(line) });
    },
  });
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice', storage: false });
  onTestFinished(() => client.close());
  await expect.poll(() => client.state, patience).toBe('connected');
  const { session, node: first } = client;
  if (session === undefined || first === undefined) throw new Error('connected without a session');
  await client.request('demo.quote', {});

  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  await operator.drain({ node: first });
  await expect.poll(() => client.node, patience).not.toBe(first);
  const second = client.node;
  await client.end();

  const followed = () => lines.filter((line) => line.session === session);
  const seen = () => followed().map(({ process, msg }) => `${process} ${msg}`);
  // The two edges of a move are two processes: which of their lines is read first is nothing to go by.
  await expect
    .poll(seen, patience)
    .toEqual(
      expect.arrayContaining([
        'gateway placed',
        `${first} attached`,
        'demo request',
        `${first} moving`,
        `${second} attached`,
        `${first} moved-away`,
        `${second} ended`,
      ]),
    );
  const named = followed().filter(({ user }) => user !== undefined);
  expect(new Set(named.map(({ user }) => user))).toEqual(new Set(['alice']));
  // The plan says why: the balancer, which knows no sessions by name, has logged it.
  const plan = lines.find(({ process, msg }) => process === 'balancer' && msg === 'plan started')?.plan;
  expect(plan).toBeTypeOf('string');
  const moving = followed().find(({ msg }) => msg === 'moving');
  expect(moving).toMatchObject({ plan, to: second });
  const asked = lines.find(({ process, msg }) => process === 'balancer' && msg === 'asked to move');
  expect(asked).toMatchObject({ plan, from: first, to: second });
  // Strict readers refuse an object that has a key twice.
  expect(written.filter((line) => JSON.stringify(JSON.parse(line)) !== line)).toEqual([]);
});

it('a gateway says once whom it refuses and why, and counts the others', async () => {
  const lines: Line[] = [];
  const mesh = await startTestMesh({
    edges: 1,
    auth: 'jwt',
    env: { EVENKEEL_JWT_SECRET: 'follow-test-secret-of-32-characters-at-least' },
    onLine: (process, line) => {
      if (line.startsWith('{')) lines.push({ process, ...JSON.parse(line) });
    },
  });
  const ask = () =>
    fetch(`${mesh.gatewayUrl}/gateway?session=s1`, { headers: { authorization: 'Bearer x' } });
  for (let n = 0; n < 5; n += 1) expect((await ask()).status).toBe(401);
  await vi.waitFor(() => expect(lines.filter(({ msg }) => msg === 'refused')).toHaveLength(1), patience);
  const [refused] = lines.filter(({ msg }) => msg === 'refused');
  expect(refused).toMatchObject({
    process: 'gateway',
    level: 'info',
    reason: 'bad-credentials',
    status: 401,
    session: 's1',
    address: '127.0.0.1',
    suppressed: 0,
  });
  expect(JSON.stringify(refused)).not.toContain('Bearer');
});
