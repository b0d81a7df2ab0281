import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { rest, save } from './save.js';
import { Stage } from './stage.js';

const folder = fileURLToPath(new URL('../../../examples', import.meta.url));
const cli = fileURLToPath(new URL('../../../packages/operator/bin/evenkeel.mjs', import.meta.url));
const run = promisify(execFile);
const window = { viewport: { width: 900, height: 560 } };
const wordMs = '90';

/** The chat and the assistant of examples/, while edges are drained and killed under them. */
export async function examplePictures(): Promise<void> {
  const env = { EVENKEEL_NAMESPACES: `${folder}/namespaces.json` };
  const stage = await Stage.open(0, { edges: 3, env, demo: false });
  const programs: ChildProcess[] = [];
  /** Starts one of examples/; resolves with its first line. */
  const start = async (file: string, ...args: string[]): Promise<string> => {
    const addresses = {
      EVENKEEL_GATEWAY: stage.mesh.gatewayUrl,
      EVENKEEL_APP_AMQP_URL: stage.mesh.urlFor('app-shop'),
    };
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [`${folder}/${file}`, ...args], { env: { PATH, ...addresses } });
    programs.push(child);
    for await (const line of createInterface(child.stdout)) return line;
    throw new Error(`${file} says nothing`);
  };
  try {
    await chat(stage, await start('serve.mjs', 'chat', '0'));
    await start('assistant/service.mjs', wordMs);
    await assistant(stage, await start('serve.mjs', 'assistant', '0'));
  } finally {
    for (const child of programs) child.kill();
    await stage.close();
  }
}

async function open(stage: Stage, served: string, user: string): Promise<Page> {
  const page = await stage.openPage(`${served.split(' ').at(-1)?.replace('alice', user)}`, window);
  await isConnected(page);
  return page;
}

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
