import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Broker, BrokerError } from '@evenkeel/broker';
import type { RunFile } from '@evenkeel/local';
import { exchanges, statsKey } from '@evenkeel/protocol';
import { expect, it, vi } from 'vitest';
import { freePortFlags, type Ran, runEvenkeel, type Started, startIn } from '../support/npm-start.js';

/** Runs `evenkeel` where the mesh was started. */
function evenkeel({ folder }: Started, ...args: string[]): Promise<Ran> {
  const { EVENKEEL_AMQP_URL: _, ...env } = process.env;
  return runEvenkeel(args, { cwd: folder, env });
}

/** Whether the user of this address may say that a node is well. */
async function mayReport(url: string, node: string): Promise<boolean> {
  const broker = await Broker.connect({ url, name: 'broker users test', attempts: 1 });
  try {
    await broker.publisher().publish(exchanges.stats, statsKey(node), '{}');
    return true;
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'publish-refused') return false;
    throw error;
  } finally {
    await broker.close();
  }
}

it('npm start runs everything as users of their own, whose addresses evenkeel knows', async () => {
  const kind = process.env.EVENKEEL_TEST_BROKER === 'container' ? 'container' : 'local';
  const started = startIn({}, '--edges', '1', '--crowd', '0', '--broker', kind, ...(await freePortFlags()));
  await vi.waitFor(() => expect(started.text()).toContain('Evenkeel is up'), {
    timeout: 120_000,
    interval: 100,
  });
  const run = JSON.parse(readFileSync(started.runFile, 'utf8')) as RunFile;
  const userOf = (url: string) => new URL(url).username;
  expect([run.amqpUrl, run.appAmqpUrl, run.operatorAmqpUrl, run.viewerAmqpUrl].map(userOf)).toEqual([
    'guest',
    'app-shop',
    'operator',
    'viewer',
  ]);

  // Nobody else on this machine reads a password.
  const files = readdirSync(dirname(started.runFile), { recursive: true, encoding: 'utf8' })
    .filter((name) => /run\.json$|passwords\.json$|definitions\.json$/.test(name))
    .map((name) => join(dirname(started.runFile), name));
  expect(files.length).toBeGreaterThanOrEqual(kind === 'local' ? 3 : 2);
  expect(files.map((file) => (statSync(file).mode & 0o777).toString(8))).toEqual(files.map(() => '600'));

  const { out: assignments } = await evenkeel(started, 'env');
  expect(assignments.split('\n').sort()).toEqual([
    '',
    `EVENKEEL_API_KEY=${run.api?.key}`,
    `EVENKEEL_API_URL=${run.api?.url}`,
    `EVENKEEL_APP_AMQP_URL=${run.appAmqpUrl}`,
    `EVENKEEL_OPERATOR_AMQP_URL=${run.operatorAmqpUrl}`,
    `EVENKEEL_VIEWER_AMQP_URL=${run.viewerAmqpUrl}`,
  ]);

  expect(await evenkeel(started, 'pause')).toMatchObject({ status: 0 });
  // Published as an application, and nobody is there.
  expect((await evenkeel(started, 'send', 'nobody', '1')).err).toContain('no-session');
  const asViewer = ['--amqp-url', run.viewerAmqpUrl];
  expect(await evenkeel(started, 'status', ...asViewer)).toMatchObject({ status: 0 });
  expect((await evenkeel(started, 'drain', 'edge-1', '--yes', ...asViewer)).err).toContain('forbidden');

  const { out } = await evenkeel(started, 'broker-user', 'n7');
  const url = out.trim();
  expect(userOf(url)).toBe('edge-n7');
  expect(await mayReport(url, 'n7')).toBe(true);
  expect(await mayReport(url, 'edge-1')).toBe(false);
  const again = await evenkeel(started, 'broker-user', 'n7');
  expect(again.out.trim()).toBe(url);
  const { err } = await evenkeel(started, 'broker-user', 'a.b');
  expect(err).toContain('unknown-user');
});
