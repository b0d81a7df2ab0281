import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@evenkeel/client';
import { savedFileOf } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { runProgram } from '../support/example-programs.js';
import { startTestMesh } from '../support/mesh.js';
import { cli } from '../support/npm-start.js';
import { serveFolder } from '../support/page-server.js';

const root = join(import.meta.dirname, '..', '..');
const guide = readFileSync(join(root, 'docs', 'guide', 'README.md'), 'utf8');
const newWindow = useBrowser();
const run = promisify(execFile);

const fileOf = (name: string): string => savedFileOf(guide, `my-app/${name}`);
/** The block of shell that begins so. */
function commandOf(beginning: string): string {
  const found = [...guide.matchAll(/```sh\n([\s\S]+?)\n```/g)].find(([, text]) =>
    text?.startsWith(beginning),
  );
  if (!found?.[1]) throw new Error(`the guide has no ${beginning}`);
  return found[1];
}

const until = (what: string, holds: () => Promise<boolean>) =>
  expect.poll(holds, { timeout: 40_000, interval: 50, message: what }).toBe(true);
const lines = (page: Page) => page.$$eval('#log li', (items) => items.map((item) => item.textContent ?? ''));
const has = (page: Page, text: string) =>
  until(text, async () => (await lines(page)).some((line) => line.endsWith(text)));
async function say(page: Page, text: string): Promise<void> {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

it('the first app of the guide works as it is printed: a room, a service, a curl, and a drain that nobody notices', async () => {
  // Inside of the checkout, as the guide has it: there its imports are found.
  mkdirSync(join(root, '.evenkeel'), { recursive: true });
  const folder = mkdtempSync(join(root, '.evenkeel', 'guide-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const mesh = await startTestMesh({ api: true, env: { EVENKEEL_NAMESPACES: fileOf('namespaces.json') } });
  writeFileSync(
    join(folder, 'index.html'),
    fileOf('index.html').replace('http://127.0.0.1:8080', mesh.gatewayUrl),
  );
  writeFileSync(join(folder, 'house.mjs'), fileOf('house.mjs'));
  const sdk = /cp (\S+) my-app\/evenkeel\.js/.exec(guide)?.[1] ?? '';
  writeFileSync(join(folder, 'evenkeel.js'), readFileSync(join(root, sdk)));
  const env = {
    PATH: process.env.PATH ?? '',
    EVENKEEL_APP_AMQP_URL: mesh.urlFor('app-shop'),
    EVENKEEL_OPERATOR_AMQP_URL: mesh.urlFor('operator'),
    EVENKEEL_API_URL: mesh.apiAddress?.url ?? '',
    EVENKEEL_API_KEY: mesh.apiAddress?.key ?? '',
  };
  const shell = (text: string) =>
    run(
      'bash',
      ['-euo', 'pipefail', '-c', text.replaceAll('npx evenkeel', `'${process.execPath}' '${cli}'`)],
      { env },
    );

  const origin = await serveFolder(folder);
  const complaints: string[] = [];
  const open = async (user: string): Promise<Page> => {
    const page = await (await newWindow({ viewport: { width: 640, height: 480 } })).newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${origin}/index.html?user=${user}`);
    return page;
  };
  const here = (page: Page, names: string) =>
    until(names, async () => (await page.textContent('#here')) === names);

  const alice = await open('alice');
  const bob = await open('bob');
  for (const page of [alice, bob]) await here(page, 'alice, bob');
  await say(bob, 'Is anybody here?!');
  await has(alice, 'bob: Is anybody here?!');
  const carol = await open('carol');
  await has(carol, 'bob: Is anybody here?!');
  await here(alice, 'alice, bob, carol');
  await carol.close();

  const house = runProgram(process.execPath, [join(folder, 'house.mjs')], folder, env);
  await eventually('the house is open', () => house.text().includes('open'), 20_000);
  await has(alice, 'the house: The house is open.');
  const { stdout } = await shell(commandOf('curl'));
  expect(JSON.parse(stdout)).toMatchObject({ routed: true });
  await has(bob, 'the house: Last orders!');

  const client = connect({ gateway: mesh.gatewayUrl, user: 'witness', storage: false });
  onTestFinished(() => client.close());
  const seen: string[] = [];
  const there = new Set<string>();
  client.topic('room.42').on('presence', ({ users = [], left }) => {
    for (const { user } of users) there.add(user);
    seen.push(...left);
  });
  await eventually(
    'carol is gone',
    () => there.has('alice') && there.has('bob') && (!there.has('carol') || seen.length > 0),
    20_000,
  );
  seen.length = 0;

  await say(alice, 'When is supper?');
  await until('the answer begins', async () => /to you: \S+/.test((await lines(alice)).at(-1) ?? ''));
  const before = await alice.textContent('#node');
  await shell(commandOf('npx evenkeel drain'));
  await until('another node', async () => (await alice.textContent('#node')) !== before);
  const answer =
    'alice, you ask "When is supper?" and the house says: the tide turns at six, and the soup is ready when it does.';
  await has(alice, `the house, to you: ${answer}`);
  expect(await lines(alice)).toEqual([
    'bob: Is anybody here?!',
    'the house: The house is open.',
    'the house: Last orders!',
    `the house, to you: ${answer}`,
  ]);
  expect(seen.filter((user) => user !== 'carol')).toEqual([]);
  expect(complaints).toEqual([]);
});
