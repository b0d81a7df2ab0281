import { eventually } from '@evenkeel/testkit';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { edgeOf, exampleWithPage, shown } from '../support/example-pages.js';
import { runExample } from '../support/example-programs.js';
import { until } from '../support/shown-page.js';

const newWindow = useBrowser();

it('the assistant of the examples answers whole in a page whose edge is drained, that is reloaded, and whose next edge is killed', async () => {
  const { mesh, folder, open, operator, complaints } = await exampleWithPage(newWindow, 'assistant');
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
  const { mesh: _, ...example } = await exampleWithPage(newWindow, 'cursors');
  const [alice, bob] = await Promise.all([example.open('alice'), example.open('bob')]);
  const cursors = (page: Page) => page.$$eval('.cursor', (items) => items.map((item) => item.textContent));
  await alice.mouse.move(300, 200);
  await until("alice's cursor", async () => (await cursors(bob)).join() === 'alice');
  await bob.mouse.move(400, 300);
  await until("bob's cursor", async () => (await cursors(alice)).join() === 'bob');
  expect(await cursors(bob)).toEqual(['alice']);
  expect(example.complaints).toEqual([]);
});
