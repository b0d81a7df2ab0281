import { createOperator, type Operator } from 'evenkeel';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { openConsole } from '../support/console-on-screen.js';
import { startControlledTestMesh } from '../support/mesh.js';
import { until } from '../support/shown-page.js';

const newWindow = useBrowser();
const crowd = 60;
/** Slow enough for a plan to be paused half-way, on a busy machine too. */
const slowly = { EVENKEEL_START_PER_SECOND: '1', EVENKEEL_MAX_PER_SECOND: '1' };

/** Waits for an element; where it does not come, tells what the page shows instead. */
async function shows(page: Page, selector: string): Promise<void> {
  try {
    await page.waitForSelector(selector);
  } catch {
    throw new Error(`No ${selector} at ${page.url()}: ${await page.textContent('main')}`);
  }
}

async function operatorOf(amqpUrl: string): Promise<Operator> {
  const operator = await createOperator({ amqpUrl });
  onTestFinished(() => operator.close());
  return operator;
}

it('an operator plans, applies, pauses, resumes, drains and undoes on the page, and the cluster follows each', async () => {
  const mesh = await startControlledTestMesh({ edges: 2, crowd, console: true, env: slowly });
  const operator = await operatorOf(mesh.urlFor('operator'));
  const { page, complaints } = await openConsole(await newWindow(), mesh);
  const click = (id: string) => page.click(`[data-testid=${id}]`);
  const sessionsOn = async (node: string): Promise<number> =>
    (await operator.status()).nodes.find((each) => each.node === node)?.sessions ?? 0;
  const shownOn = async (node: string): Promise<number> =>
    Number(await page.getAttribute(`[data-testid=node-${node}]`, 'data-sessions'));

  await until(
    'everybody is there',
    async () => (await sessionsOn('edge-1')) + (await sessionsOn('edge-2')) === crowd,
  );

  // Nobody levels while the operator looks.
  await click('pause');
  await until('rebalancing is paused', async () => (await operator.status()).isPaused === true);
  const { node } = await mesh.addEdge();
  await shows(page, `[data-testid=node-${node}][data-state=active]`);

  await click('plan');
  await shows(page, '[data-testid=apply]:enabled');
  expect(await page.textContent('[data-testid=summary]')).toMatch(/^\d+ sessions would move between 3 nodes/);
  expect(await sessionsOn(node)).toBe(0);
  await click('apply');
  await until('some have moved', async () => (await sessionsOn(node)) > 0);

  await click('pause');
  await until('the plan is paused', async () => (await operator.status()).plan?.state === 'paused');
  expect(await sessionsOn(node)).toBeLessThan(crowd / 3);
  await click('resume');
  await until('the new node has its share', async () => (await sessionsOn(node)) >= crowd / 3 - 1);
  await until('and the page shows it', async () => (await shownOn(node)) >= crowd / 3 - 1);
  await until('the plan is over', async () => !(await operator.status()).plan?.id);

  for (const name of ['startPerSecond', 'maxPerSecond']) await operator.set({ name, value: 100 });
  await page.click('[data-testid=node-edge-1] a');
  await click('drain');
  await shows(page, '[data-testid=apply]:enabled');
  expect(await page.textContent('[data-testid=summary]')).toMatch(/^\d+ sessions would move/);
  await click('apply');
  await until('edge-1 is empty', async () => (await sessionsOn('edge-1')) === 0);
  await shows(page, '[data-testid=node-edge-1][data-sessions="0"]:has-text("drained")');
  await until('the drain is over', async () => !(await operator.status()).plan?.id);

  await page.click('[data-testid=node-edge-1] a');
  await click('uncordon');
  await page.click('nav >> text=Now');
  await shows(page, '[data-testid=node-edge-1][data-state=active]');
  await click('undo');
  await click('undo-yes');
  await until('they are back', async () => (await sessionsOn('edge-1')) > crowd / 4);
  const { history = [], isPaused } = await operator.status();
  expect(history.some(({ kind, by }) => kind === 'drain' && by?.includes('developer'))).toBe(true);
  expect(isPaused).toBe(true);
  expect(complaints).toEqual([]);
});
