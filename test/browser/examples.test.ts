import type { Mesh } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { addressesOf, exampleNamespaces, folderOf, runExample } from '../support/example-programs.js';
import { startTestMesh } from '../support/mesh.js';

const newWindow = useBrowser();

/** A mesh as the examples want it, and the page of one, which opens for a user in a window of its own. */
async function exampleWithPage(example: string) {
  const mesh = await startTestMesh({ edges: 3, env: { EVENKEEL_NAMESPACES: exampleNamespaces } });
  const folder = folderOf(addressesOf(mesh));
  const served = runExample('serve.mjs', [example, '0'], folder);
  await eventually('the page is served', () => served.text().includes('http://'), 20_000);
  const [, origin = ''] = /(http:\/\/\S+)\/\?/.exec(served.text()) ?? [];
  const complaints: string[] = [];
  const open = async (user: string): Promise<Page> => {
    const page = await (await newWindow()).newPage();
    page.on('pageerror', (error) => complaints.push(`${user}: ${error.message}`));
    await page.goto(`${origin}/?user=${user}`);
    await until(`${user} is connected`, async () => (await shown(page, 'status')) === 'connected');
    return page;
  };
  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  return { mesh, folder, open, operator, complaints };
}

const shown = async (page: Page, name: string) => (await page.textContent(`[data-testid=${name}]`)) ?? '';
const until = (what: string, holds: () => Promise<boolean>) =>
  expect.poll(holds, { timeout: 40_000, interval: 50, message: what }).toBe(true);
const edgeOf = async (mesh: Mesh, page: Page) => {
  const node = await shown(page, 'node');
  return mesh.edges.find((edge) => edge.node === node);
};

async function say(page: Page, text: string): Promise<void> {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}
/** Who said what, as it stands there. */
const said = (page: Page) =>
  page.$$eval('#messages li', (items) =>
    items.map((item) => item.textContent?.replace(/\d\d:\d\d.*$/, '').trim() ?? ''),
  );
const has = (page: Page, text: string) => until(text, async () => (await said(page)).includes(text));

it('the chat of the examples shows everybody everything once and in one order, over a drain, a reload and for who comes later', async () => {
  const { mesh, open, operator, complaints } = await exampleWithPage('chat');
  const alice = await open('alice');
  const bob = await open('bob');
  const people = (page: Page) =>
    page.$$eval('#people li', (items) => items.map((item) => item.textContent).join());
  for (const page of [alice, bob])
    await until('both are there', async () => (await people(page)) === 'alice,bob');
  await say(alice, 'ahoy <b>there</b>');
  await has(bob, 'alice ahoy <b>there</b>');
  await bob.type('#text', 'ay');
  await until('bob types', async () => (await alice.textContent('#typing')) === 'bob …');
  expect(await bob.textContent('#typing')).not.toContain('bob');
  await say(bob, 'aye');
  await has(alice, 'bob aye');
  await until('bob has said it', async () => (await alice.textContent('#typing')) !== 'bob …');

  // Another room is told of by a number until it is looked at.
  await alice.click('#rooms button:has-text("bridge")');
  await say(alice, 'one');
  await say(alice, 'two');
  await until('two unread', async () => (await bob.textContent('.unread')) === '2');
  expect(await bob.title()).toBe('(2) chat');
  await bob.click('#rooms button:has-text("bridge")');
  await until('read', async () => (await bob.title()) === 'chat');

  const drained = (await edgeOf(mesh, alice))?.node ?? '';
  const drain = operator.drain({ nodes: [drained] });
  for (let n = 0; n < 15; n++) {
    await say(alice, `during ${n}`);
    await say(bob, `meanwhile ${n}`);
  }
  await drain;
  await until('alice has moved', async () => (await shown(alice, 'node')) !== drained);
  expect(await shown(alice, 'moves')).not.toBe('0');
  await alice.evaluate(`
    globalThis.seen = [];
    const list = document.getElementById('people');
    new MutationObserver(() => seen.push(list.innerText.split('\\n').join())).observe(list, { childList: true });
  `);
  await bob.reload();
  await bob.click('#rooms button:has-text("bridge")');
  await say(alice, 'after');
  for (const page of [alice, bob]) await has(page, 'alice after');
  const carol = await open('carol');
  await until('all of it is unread', async () => (await carol.title()) === '(33) chat');
  await carol.click('#rooms button:has-text("bridge")');
  await has(carol, 'alice after');
  await until('three are there', async () => (await people(alice)) === 'alice,bob,carol');
  // Neither the move nor the reload was seen.
  expect(new Set(await alice.evaluate<string[]>('seen'))).toEqual(new Set(['alice,bob', 'alice,bob,carol']));

  const all = await said(alice);
  const saidBy = (user: string, word: string) => all.filter((line) => line.startsWith(`${user} ${word}`));
  expect(saidBy('alice', 'during')).toEqual(Array.from({ length: 15 }, (_, n) => `alice during ${n}`));
  expect(saidBy('bob', 'meanwhile')).toEqual(Array.from({ length: 15 }, (_, n) => `bob meanwhile ${n}`));
  expect(all).toHaveLength(33);
  expect(await said(bob)).toEqual(all);
  expect(await said(carol)).toEqual(all);
  expect(complaints).toEqual([]);
});

it('the assistant of the examples answers whole in a page whose edge is drained, that is reloaded, and whose next edge is killed', async () => {
  const { mesh, folder, open, operator, complaints } = await exampleWithPage('assistant');
  const service = runExample('assistant/service.mjs', ['250'], folder);
  await eventually('it serves', () => service.text().includes('serving'), 20_000);
  const [page, quiet] = await Promise.all([open('alice'), open('bob')]);
  const words = async (of = page) =>
    (await shown(of, 'answer')).split(' ').filter((word) => word !== '').length;
  const further = async (what: string) => {
    const before = await words();
    await until(`words go on ${what}`, async () => (await words()) >= before + 3);
  };
  for (const each of [page, quiet]) await each.click('#ask');
  await further('at first');

  const drained = (await edgeOf(mesh, page))?.node ?? '';
  await operator.drain({ nodes: [drained] });
  await until('moved', async () => (await shown(page, 'moves')) === '1');
  await further('after the move');
  await page.reload();
  await further('after the reload');
  await (await edgeOf(mesh, page))?.kill();
  await until('its socket is lost', async () => (await shown(page, 'losses')) === '1');
  await further('after the crash');

  for (const each of [page, quiet])
    await until('the end', async () => /^\d+ words$/.test(await shown(each, 'note')));
  expect(await shown(page, 'answer')).toMatch(/^You asked: .* read each of them once\.$/);
  expect(await shown(page, 'answer')).toBe(await shown(quiet, 'answer'));
  expect(service.text().match(/alice asks/g)).toHaveLength(1);
  expect(complaints).toEqual([]);
});

it("the cursors of the examples show others' mice, and not one's own", async () => {
  const { mesh: _, ...example } = await exampleWithPage('cursors');
  const [alice, bob] = await Promise.all([example.open('alice'), example.open('bob')]);
  const cursors = (page: Page) => page.$$eval('.cursor', (items) => items.map((item) => item.textContent));
  await alice.mouse.move(300, 200);
  await until("alice's cursor", async () => (await cursors(bob)).join() === 'alice');
  await bob.mouse.move(400, 300);
  await until("bob's cursor", async () => (await cursors(alice)).join() === 'bob');
  expect(await cursors(bob)).toEqual(['alice']);
  expect(example.complaints).toEqual([]);
});
