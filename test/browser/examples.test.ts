import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { edgeOf, exampleWithPage, shown } from '../support/example-pages.js';
import { until } from '../support/shown-page.js';

const newWindow = useBrowser();

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
  const { mesh, open, operator, complaints } = await exampleWithPage(newWindow, 'chat');
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
