import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromiumArgs, chromiumPath } from '@evenkeel/local';
import { FakeConsole, simulatedStatus } from '@evenkeel/testkit';
import { chromium, type Page } from 'playwright-core';
import { rest, save } from './save.js';
import { Stage } from './stage.js';

/** The console, from a real run of a mesh with a crowd: level, before and within a rebalance, drained, and without a broker. */
const crowd = 180;
const patienceMs = 120_000;
const wide = { viewport: { width: 1_240, height: 880 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };
/** Slow enough for a plan to be seen half-way. */
const slowly = { EVENKEEL_START_PER_SECOND: '12', EVENKEEL_MAX_PER_SECOND: '12' };
const pageDir = fileURLToPath(new URL('../../../services/console/dist/web', import.meta.url));

/** What a person would press, before there is anything to take a picture of. */
const rebalance = `fetch('/api/command', {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-evenkeel-console': '1' },
  body: JSON.stringify({ command: 'rebalance' }),
})`;

export async function consolePictures(): Promise<void> {
  const stage = await Stage.open(crowd, { edges: 3, console: true, env: slowly });
  try {
    const url = stage.mesh.consoleUrl ?? '';
    const page = await stage.openPage(url, wide);
    page.setDefaultTimeout(patienceMs);
    await stage.until('everybody is there', ({ clients }) => clients === crowd);
    await page.evaluate(rebalance);
    await page.waitForSelector('#load-title:has-text(", level")');
    await page.waitForSelector('[data-testid=progress]', { state: 'detached' });
    // For the lines under the numbers.
    await sleep(20_000);
    await shoot('level', page);

    await click(page, 'pause');
    const { node } = await stage.mesh.addEdge();
    await page.waitForSelector(`[data-testid=node-${node}][data-state=active]`);
    await click(page, 'plan');
    await page.waitForSelector('[data-testid=apply]:enabled');
    await shoot('plan', page);

    await click(page, 'apply');
    await halfWay(page);
    save('console-rebalance.png', await page.screenshot());
    await page.waitForSelector('[data-testid=progress]', { state: 'detached' });

    await page.click('[data-testid=node-edge-2] a');
    await click(page, 'drain');
    await page.waitForSelector('[data-testid=apply]:enabled');
    await click(page, 'apply');
    await page.waitForSelector('[data-testid=node-edge-2][data-sessions="0"]:has-text("drained")');
    await page.waitForSelector('[data-testid=progress]', { state: 'detached' });
    await shoot('drained', page);
    await page.click('[data-testid=node-edge-2] a');
    await page.waitForSelector('text=Closed connections');
    await shoot('node', page);

    for (const [name, options] of [
      ['dark', { ...wide, colorScheme: 'dark' as const }],
      ['phone', phone],
    ] as const) {
      const other = await stage.openPage(url, options);
      await other.waitForSelector('[data-testid=node-edge-2]');
      await sleep(5_000);
      await shoot(name, other);
      await other.context().close();
    }

    await page.click('nav >> text=Now');
    await stage.broker.ctl(['stop_app']);
    await page.waitForSelector('[data-testid=stale]');
    await sleep(4_000);
    await shoot('broker-away', page);
    await stage.broker.ctl(['start_app']);
  } finally {
    await stage.close();
  }
}

/** A thousand nodes, simulated: nobody has as many for a picture. */
export async function wallPicture(): Promise<void> {
  const fake = await FakeConsole.start({ pageDir });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
  try {
    const page = await browser.newPage(wide);
    await page.goto(fake.url);
    for (let second = 0; second < 8; second++) {
      fake.push({ status: simulatedStatus(1_000, second), ageMs: 0 });
      await sleep(300);
    }
    await shoot('1000-nodes', page);
  } finally {
    await browser.close();
    fake.close();
  }
}

/** Until the plan that runs has moved nearly half. */
async function halfWay(page: Page): Promise<void> {
  const progress = page.locator('[data-testid=progress]');
  for (;;) {
    const [, done, total] = /^(\d+) of (\d+)/.exec((await progress.textContent()) ?? '') ?? [];
    if (Number(done) / Number(total) >= 0.42) return;
    await sleep(50);
  }
}

const click = (page: Page, id: string): Promise<void> => page.click(`[data-testid=${id}]`);

async function shoot(name: string, page: Page): Promise<void> {
  const notice = page.locator('.notice button');
  if (await notice.isVisible()) await notice.click();
  await rest();
  save(`console-${name}.png`, await page.screenshot());
}
