import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@evenkeel/client';
import type { RunFile } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freshVhost } from '../support/broker.js';
import { cli, freePortFlags, startIn } from '../support/npm-start.js';

const run = promisify(execFile);
const document = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'http-api.md'), 'utf8');

/** Blocks of shell with the JSON that is printed under them. */
function shownAnswers(): { script: string; answer: unknown }[] {
  return [...document.matchAll(/^```sh\n([\s\S]*?)^```\n\n```json\n([\s\S]*?)^```/gm)].map(
    ([, script = '', answer = '']) => ({ script, answer: JSON.parse(answer) as unknown }),
  );
}

/** Stands for the time at which somebody tries it. */
const aTime = 1795788800000;

/** Where a document prints `…`, any text will do. */
function asPrinted(value: unknown): unknown {
  if (value === '…') return expect.any(String);
  if (value === aTime) return expect.any(Number);
  if (Array.isArray(value)) return value.map(asPrinted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asPrinted(each)]));
}

it('every curl of docs/http-api.md answers as it is printed, beside npm start, and alice gets what was published', async () => {
  const { amqpUrl } = await freshVhost();
  const flags = ['--edges', '1', '--no-demo', '--no-console', '--amqp-url', amqpUrl];
  const namespaces = join(import.meta.dirname, '..', '..', 'examples', 'namespaces.json');
  const started = startIn({ EVENKEEL_NAMESPACES: namespaces }, ...flags, ...(await freePortFlags()));
  await vi.waitFor(() => expect(started.text()).toContain('Evenkeel is up'), {
    timeout: 90_000,
    interval: 50,
  });
  const running = JSON.parse(readFileSync(started.runFile, 'utf8')) as RunFile;
  expect(running.api).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    key: expect.any(String),
  });

  const events: unknown[] = [];
  const client = connect({
    gateway: running.gateway,
    user: 'alice',
    storage: false,
    info: { name: 'Alice' },
  });
  onTestFinished(() => client.close());
  client.serve('order.confirm', () => ({ accepted: true }));
  client.on('*', ({ id, name, data }) => void events.push({ id, name, data }));
  for (const topic of ['prices.demo', 'room.42']) await client.subscribe(topic, () => {});
  await eventually('alice is connected', () => client.state === 'connected', 30_000);
  // Right after its start the API has not heard of every edge, and says so.
  const { url = '', key = '' } = running.api ?? {};
  const headers = { authorization: `Bearer ${key}` };
  await vi.waitFor(
    async () => expect((await fetch(`${url}/v1/topics/room.42/presence`, { headers })).status).toBe(200),
    { timeout: 30_000, interval: 200 },
  );

  const shown = shownAnswers();
  expect(shown.length).toBeGreaterThan(1);
  const { stdout: assignments } = await run(process.execPath, [cli, 'env'], { cwd: started.folder });
  const set = `export ${assignments.trim().replaceAll('\n', ' ')}\n`;
  for (const { script, answer } of shown) {
    const withCli = script.replaceAll('npx evenkeel', `'${process.execPath}' '${cli}'`);
    const showAndCompare = async () => {
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', set + withCli], {
        cwd: started.folder,
      });
      expect({ script, answer: JSON.parse(stdout) as unknown }).toEqual({
        script,
        answer: asPrinted(answer),
      });
    };
    // What has been published is in a history a moment later.
    if (script.includes('/history')) await vi.waitFor(showAndCompare, { timeout: 20_000, interval: 200 });
    else await showAndCompare();
  }
  await eventually('alice has the event', () => events.length > 0);
  expect(events[0]).toEqual({ id: 'order-7', name: 'order.created', data: { order: 7 } });
});
