import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { freePort } from '@evenkeel/local';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
/** Nothing listens there. */
const deadBroker = 'amqp://guest:s3cret@127.0.0.1:1';

interface Service {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** Starts a service as an operator would, with no other settings than these (written without `EVENKEEL_`). */
function start(main: string, settings: Record<string, string>): Service {
  const env = Object.entries({ SECRET: 'start-test-secret-0123456789', ...settings });
  const child = spawn(process.execPath, [join(root, main)], {
    env: Object.fromEntries(env.map(([name, value]) => [`EVENKEEL_${name}`, value])),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended: endOf(child) };
}

/** Runs a module at the repository's root to its end. */
function evaluate(source: string): Service['ended'] {
  const args = ['--input-type=module', '--eval', source];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return endOf(child);
}

async function endOf(
  child: ChildProcessByStdio<null, Readable, Readable>,
): Promise<Awaited<Service['ended']>> {
  const end = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  const [[code], out, err] = await end;
  return { code: code as number | null, out, err };
}

/** All but the console, which is there to say that RabbitMQ is away. */
describe.each([
  { name: 'edge', main: 'services/edge/dist/main.js', waitsFor: 'starting: broker' },
  { name: 'gateway', main: 'services/gateway/dist/main.js', waitsFor: 'starting: broker' },
  {
    name: 'gateway over cells',
    main: 'services/gateway/dist/main.js',
    waitsFor: 'starting: cells',
    more: {
      CELLS: `{"cells": {"north": {"amqpUrl": "${deadBroker}"}, "south": {"amqpUrl": "${deadBroker}"}}}`,
    },
  },
  { name: 'balancer', main: 'services/balancer/dist/main.js', waitsFor: 'starting: broker' },
  { name: 'api', main: 'services/api/dist/main.js', waitsFor: 'starting: publisher' },
  { name: 'demo', main: 'services/demo/dist/main.js', waitsFor: 'starting: publisher' },
  { name: 'crowd', main: 'services/demo/dist/crowd/main.js', waitsFor: 'starting: publisher' },
])('$name', ({ main, waitsFor, more }) => {
  it('lives while RabbitMQ is away, says what it waits for, and warns of a variable that nothing knows', async () => {
    const opsPort = await freePort();
    const settings = { AMQP_URL: deadBroker, PORT: '0', OPS_PORT: String(opsPort), ...more };
    // Every service may be given every other's variables.
    const others = { CAPACTY: '1', EVERY_MS: '500', NODE: 'n', ID: 'b', MODE: 'manual', STATE_DIR: '/tmp' };
    const { child, ended } = start(main, { ...settings, ...others });
    const ask = (path: string) => fetch(`http://127.0.0.1:${opsPort}${path}`);
    const health = await vi.waitFor(() => ask('/healthz'), { timeout: 20_000, interval: 50 });
    expect(health.status).toBe(200);

    const readiness = await ask('/readyz');
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({
      ready: false,
      checks: { started: waitsFor, broker: expect.stringContaining('RabbitMQ') },
    });
    expect(await (await ask('/metrics')).text()).toContain('process_cpu_seconds_total');

    child.kill('SIGTERM');
    const { code, out, err } = await ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toContain('s3cret');
    const warnings = out
      .split('\n')
      .filter((line) => line.includes('"variable"'))
      .map((line) => JSON.parse(line));
    expect(warnings).toMatchObject([
      { level: 'warn', variable: 'EVENKEEL_CAPACTY', didYouMean: 'EVENKEEL_CAPACITY' },
    ]);
  });
});

describe.each([
  { name: 'edge', main: 'services/edge/dist/main.js' },
  { name: 'gateway', main: 'services/gateway/dist/main.js' },
  { name: 'balancer', main: 'services/balancer/dist/main.js' },
  { name: 'console', main: 'services/console/dist/main.js' },
  { name: 'api', main: 'services/api/dist/main.js' },
  { name: 'demo', main: 'services/demo/dist/main.js' },
  { name: 'crowd', main: 'services/demo/dist/crowd/main.js' },
])('$name', ({ name, main }) => {
  it('is built without opening, connecting or waiting for anything', async () => {
    const { code, out, err } = await evaluate(`
      import { Registry } from 'prom-client';
      import { build } from './${dirname(main)}/app.js';
      import { ${name}Config } from './${dirname(main)}/config.js';

      const levels = ['debug', 'info', 'warn', 'error'].map((level) => [level, () => {}]);
      const log = { ...Object.fromEntries(levels), isLevelEnabled: () => false };
      const lifecycle = { add: () => lifecycle };
      const ops = { metrics: new Registry(), readiness: () => {}, status: () => {}, note: () => {} };
      const config = ${name}Config.parse(${JSON.stringify({ amqpUrl: deadBroker, secret: ['built-test-secret-0123456789'] })});
      const before = process.getActiveResourcesInfo();
      const { signal } = new AbortController();
      build(config, { lifecycle, log, ops, signal, onReload: () => {} });
      console.log(JSON.stringify({ before, after: process.getActiveResourcesInfo() }));
    `);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { before, after } = JSON.parse(out);
    expect(after).toEqual(before);
  });

  it('refuses each wrong setting with one line that says what it takes, without a secret', async () => {
    const settings = { LOG_LEVEL: 'loud', AMQP_URL: 'http://guest:s3cret@mesh.example' };
    const { code, out, err } = await start(main, settings).ended;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^EVENKEEL_AMQP_URL has a value \(not shown\) .* amqp:\/\/ or amqps:\/\/ /),
      expect.stringMatching(/^EVENKEEL_LOG_LEVEL is "loud"; it takes fatal, error, warn, /),
    ]);
  });
});

it.each([
  [
    'edge',
    { PUBLIC_URL: 'http://x' },
    /^EVENKEEL_PUBLIC_URL is "http:\/\/x"; it takes a ws:\/\/ or wss:\/\/ URL/,
  ],
  [
    'edge',
    { PUBLIC_URL: 'wss://{host}/ws' },
    /^EVENKEEL_PUBLIC_URL is .*; \{port\} and \{node\} are filled in/,
  ],
  ['edge', { WEIGHT: '16000' }, /^EVENKEEL_WEIGHT is "16000"; it takes a number from 0.01 to 100 /],
  ['edge', { SECRET: 'short' }, /^EVENKEEL_SECRET has a value \(not shown\) .* at least 16 characters/],
  ['edge', { SECRET: '' }, /^EVENKEEL_SECRET is not set; it takes .* at least 16 characters/],
  ['edge', { NODE: 'a.b' }, /^EVENKEEL_NODE is "a\.b"; it takes 1 to 64 of A-Z a-z 0-9 _ - /],
  [
    'gateway',
    { JWKS_URL: 'http://keys.example' },
    /^EVENKEEL_JWKS_URL is .*; it takes a URL that begins with https:\/\/ or file:\/\/ /,
  ],
  [
    'gateway',
    { AUTH: 'jwt' },
    /^EVENKEEL_JWT_SECRET is not set; with EVENKEEL_AUTH=jwt set it, or EVENKEEL_JWKS_URL/,
  ],
  [
    'edge',
    { NAMESPACES: '{"namespaces":{"room":{"subscribe":"all"}}}' },
    /^EVENKEEL_NAMESPACES has a value \(not shown\) that it cannot use; `namespaces\.room\.subscribe`: /,
  ],
  [
    'gateway',
    { NAMESPACES: '{"namespaces":{"room":{"subscribe":"all"}}}' },
    /^EVENKEEL_NAMESPACES has a value \(not shown\) that it cannot use; `namespaces\.room\.subscribe`: /,
  ],
  ['gateway', { NAMESPACES: '/nowhere.json' }, /^EVENKEEL_NAMESPACES has a value .*ENOENT/],
  ['balancer', { OPS_TOKEN: 'at-least-16-characters' }, /^EVENKEEL_OPS_TOKEN .*that of an example/],
  ['console', { RABBITMQ_API_URL: 'http://m:PASSWORD@mq' }, /^EVENKEEL_RABBITMQ_API_URL .*of an example/],
  ['api', { OPS_TOKEN: 'for-development-only-change-me' }, /^EVENKEEL_OPS_TOKEN .*that of an example/],
  [
    'api',
    {
      WEBHOOKS:
        '{"webhooks":[{"name":"shop","url":"https://a.example/","secret":"at-least-16-characters","on":["publish"]}]}',
    },
    /^EVENKEEL_WEBHOOKS has a value \(not shown\) .*the secret of shop: it is that of an example/,
  ],
  [
    'balancer',
    { MAINTENANCE_WINDOWS: '25:00-26:00' },
    /^EVENKEEL_MAINTENANCE_WINDOWS is .*, each HH:MM-HH:MM in UTC/,
  ],
])('%s refuses %j in one line', async (service, settings, line) => {
  const { code, out, err } = await start(`services/${service}/dist/main.js`, settings).ended;
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(line);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});
