import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { savedFileOf } from '@evenkeel/local';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { rest, save } from './save.js';
import { Stage } from './stage.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const examples = join(root, 'examples');
const cli = join(root, 'packages', 'operator', 'bin', 'evenkeel.mjs');
const run = promisify(execFile);
const window = { viewport: { width: 900, height: 560 } };
const phone = { viewport: { width: 640, height: 420 } };
const wordMs = '90';

/** Starts one of examples/; resolves with its first line. */
type Start = (file: string, ...args: string[]) => Promise<string>;

/** The chat and the assistant of examples/, while edges are drained and killed under them. */
export async function examplePictures(): Promise<void> {
  const env = { EVENKEEL_NAMESPACES: `${examples}/namespaces.json` };
  const stage = await Stage.open(0, { edges: 3, env, demo: false });
  const programs: ChildProcess[] = [];
  const start: Start = async (file, ...args) => {
    const addresses = {
      EVENKEEL_GATEWAY: stage.mesh.gatewayUrl,
      EVENKEEL_APP_AMQP_URL: stage.mesh.urlFor('app-shop'),
    };
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [`${examples}/${file}`, ...args], { env: { PATH, ...addresses } });
    programs.push(child);
    for await (const line of createInterface(child.stdout)) return line;
    throw new Error(`${file} says nothing`);
  };
  try {
    await chat(stage, await start('serve.mjs', 'chat', '0'));
    await start('assistant/service.mjs', wordMs);
    await assistant(stage, await start('serve.mjs', 'assistant', '0'));
    await guide(stage, start);
  } finally {
    for (const child of programs) child.kill();
    await stage.close();
  }
}

/** The page of the guide's first app, as its reader has it in the end. */
async function guide(stage: Stage, start: Start): Promise<void> {
  const app = mkdtempSync(join(root, '.evenkeel', 'guide-'));
  try {
    const text = readFileSync(join(root, 'docs', 'guide', 'README.md'), 'utf8');
    const page = savedFileOf(text, 'my-app/index.html').replace(
      'http://127.0.0.1:8080',
      stage.mesh.gatewayUrl,
    );
    // It answers in place of the assistant, whose method has another form.
    writeFileSync(
      join(app, 'house.mjs'),
      savedFileOf(text, 'my-app/house.mjs').replaceAll('shop.ask', 'shop.guide'),
    );
    writeFileSync(join(app, 'index.html'), page.replaceAll('shop.ask', 'shop.guide'));
    const served = await start('serve.mjs', relative(examples, app), '0');
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((user) => visit(stage, served, user, phone)));
    if (!alice || !bob) throw new Error('Nobody is there.');
    const say = async (page: Page, said: string): Promise<void> => {
      await page.fill('#text', said);
      await page.press('#text', 'Enter');
    };
    const has = (text: string) =>
      alice.waitForFunction(`document.getElementById('log').textContent.includes(${JSON.stringify(text)})`);
    await say(alice, 'Ahoy, bob.');
    await has('alice: Ahoy');
    await say(bob, 'Ahoy! I have just come in, and read what you said.');
    await has('bob: Ahoy');
    await start(relative(examples, join(app, 'house.mjs')));
    await has('The house is open.');
    await say(alice, 'When is supper?');
    await has('soup is ready when it does.');
    save('guide-room.png', await alice.screenshot());
  } finally {
    rmSync(app, { recursive: true });
  }
}

async function open(stage: Stage, served: string, user: string): Promise<Page> {
  const page = await visit(stage, served, user, window);
  await isConnected(page);
  return page;
}

/** `served`: the first line of serve.mjs. */
const visit = (stage: Stage, served: string, user: string, options: BrowserContextOptions): Promise<Page> =>
  stage.openPage(`${served.split(' ').at(-1)?.replace('alice', user)}`, options);

const nodeOf = async (page: Page): Promise<string> => (await page.textContent('[data-testid=node]')) ?? '';
const operate = (stage: Stage, ...command: string[]) =>
  run(process.execPath, [cli, ...command], {
    env: { ...process.env, EVENKEEL_OPERATOR_AMQP_URL: stage.mesh.urlFor('operator') },
  });
const isConnected = (page: Page) => says(page, 'status', 'connected');
const says = (page: Page, name: string, text: string) =>
  page.waitForFunction(`document.querySelector('[data-testid=${name}]').textContent === '${text}'`);

async function chat(stage: Stage, served: string): Promise<void> {
  const [alice, bob, carol] = await Promise.all(
    ['alice', 'bob', 'carol'].map((user) => open(stage, served, user)),
  );
  if (!alice || !bob || !carol) throw new Error('Nobody is there.');
  const say = async (page: Page, text: string): Promise<void> => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
    await alice.waitForFunction(
      `document.getElementById('messages').textContent.includes(${JSON.stringify(text)})`,
    );
  };
  await say(bob, 'Good morning. Is the new edge in?');
  await say(alice, 'Since six. I drain the one that I am on now.');
  await operate(stage, 'drain', await nodeOf(alice));
  await says(alice, 'moves', '1');
  await say(alice, 'That was it. Did you notice anything?');
  await say(bob, 'Nothing at all. I reload my page, for good measure.');
  await bob.reload();
  await isConnected(bob);
  await bob.waitForFunction('document.querySelectorAll("#messages li").length === 4');
  await say(bob, 'All here, and none of it twice.');
  await carol.click('#rooms button:has-text("bridge")');
  await carol.fill('#text', 'Coffee on the bridge!');
  await carol.press('#text', 'Enter');
  await alice.waitForSelector('.unread');
  await bob.type('#text', 'Coming');
  await alice.waitForFunction('document.getElementById("typing").textContent.includes("bob")');
  save('example-chat.png', await alice.screenshot());
}

async function assistant(stage: Stage, served: string): Promise<void> {
  const page = await open(stage, served, 'alice');
  const goOn = async (): Promise<void> => {
    const length = ((await page.textContent('#answer')) ?? '').length;
    await page.waitForFunction(`document.getElementById('answer').textContent.length > ${length + 20}`);
  };
  await page.click('#ask');
  await goOn();
  await page.reload();
  await goOn();
  await operate(stage, 'uncordon', ...stage.mesh.edges.map(({ node }) => node));
  await operate(stage, 'drain', await nodeOf(page));
  await says(page, 'moves', '1');
  await goOn();
  const node = await nodeOf(page);
  await stage.mesh.edges.find((edge) => edge.node === node)?.kill();
  await says(page, 'losses', '1');
  await goOn();
  await page.waitForFunction('/^[0-9]+ words$/.test(document.getElementById("note").textContent)');
  const answer = await page.textContent('#answer');
  if (!/^You asked: .* once\.$/.test(answer ?? '')) throw new Error(`Not the whole answer: ${answer}`);
  await rest();
  save('example-assistant.png', await page.screenshot());
}
