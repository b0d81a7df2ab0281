import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { encodeGif, type Frame } from './gif.js';
import { rest, save } from './save.js';
import { Stage } from './stage.js';

/**
 * The demo's page and the moving picture, from a real run of a mesh with a crowd of 200 clients. A run that lost, repeated or
 * reordered an event makes no pictures.
 */
const crowd = 200;
/** From the mesh's word that clients have moved to the middle of their way on the page. */
const midFlightMs = 450;
const frameEveryMs = 110;

export async function demoPictures(): Promise<void> {
  const stage = await Stage.open(crowd);
  try {
    await still(stage);
    await movingPicture(stage);
    await stage.requireFaultless();
  } finally {
    await stage.close();
  }
}

/** The page before, during and after each of its buttons; light, dark and on a phone. */
async function still(stage: Stage): Promise<void> {
  const wide = { viewport: { width: 1_120, height: 1_060 } };
  const page = await stage.visit('alice', wide);
  await stage.level(crowd);
  await rest();
  save('page-light.png', await page.screenshot());
  await hero('before', page);

  await page.click('#add-edge');
  await stage.until('some have moved', (view) => onNode(view, 'edge-3') > crowd / 10);
  await sleep(midFlightMs);
  await hero('add-during', page);
  await stage.level(crowd);
  await rest();
  await hero('add-after', page);

  const mine = (await page.textContent('#node')) ?? '';
  await page.click('#drain-mine');
  await stage.until('some have moved', (view) => onNode(view, mine) < crowd / 5);
  await sleep(midFlightMs);
  await hero('drain-during', page);
  await stage.until('empty', (view) =>
    view.nodes.some(({ node, sessions }) => node === mine && sessions === 0),
  );
  await rest();
  await hero('drain-after', page);
  await page.click(`[data-testid=node-${mine}] button`);
  await stage.until('it is back', ({ nodes }) => nodes.every(({ state }) => state === 'active'));
  await stage.level(crowd);

  await page.click('#crash-one');
  await page.waitForSelector('[data-state=crashed]');
  await hero('crash-during', page);
  await stage.until('everybody is back', ({ clients }) => clients === crowd);
  await rest();
  await hero('crash-after', page);
  await stage.until('it has returned', ({ nodes }) => nodes.every(({ state }) => state === 'active'));
  await stage.level(crowd);
  await page.context().close();

  const dark = await stage.visit('alice', { ...wide, colorScheme: 'dark' });
  await rest();
  save('page-dark.png', await dark.screenshot());
  await dark.context().close();
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };
  const small = await stage.visit('alice', phone);
  await rest();
  save('page-phone.png', await small.screenshot());
  await small.context().close();
}

/** The picture of the README: a node is added, then the one with this tab is drained. */
async function movingPicture(stage: Stage): Promise<void> {
  const page = await stage.visit('alice', { viewport: { width: 880, height: 720 } });
  await stage.level(crowd);
  await rest();
  const frames: Frame[] = [];
  const recording = record(page, frames);
  await sleep(1_000);
  await page.click('#add-edge');
  await stage.until(
    'four',
    ({ nodes }) => nodes.length === 4 && nodes.every(({ state }) => state === 'active'),
  );
  await stage.level(crowd);
  await rest();
  await page.click('#drain-mine');
  await stage.until('drained', ({ nodes }) => nodes.some((n) => n.state === 'cordoned' && n.sessions === 0));
  await stage.level(crowd);
  await rest();
  await recording();
  const gif = encodeGif(frames);
  save('level.gif', gif, 1_024);
}

/** Takes pictures until the returned function is called. */
function record(page: Page, frames: Frame[]): () => Promise<void> {
  let isOn = true;
  const running = (async () => {
    const card = await page.locator('.mesh').boundingBox();
    const counters = await page.locator('.counters').boundingBox();
    if (card === null || counters === null) throw new Error('There is no mesh on the page.');
    const { x, y, width } = card;
    const clip = { x, y, width, height: counters.y + counters.height + 6 - y };
    while (isOn) {
      const atMs = performance.now();
      frames.push({ png: await page.screenshot({ clip }), atMs });
      await sleep(Math.max(0, frameEveryMs - (performance.now() - atMs)));
    }
  })();
  return async () => {
    isOn = false;
    await running;
  };
}

async function hero(name: string, page: Page): Promise<void> {
  save(`mesh-${name}.png`, await page.locator('.mesh').screenshot());
}

function onNode(view: Awaited<ReturnType<Stage['view']>>, node: string): number {
  return view.places.filter((place) => view.nodes[place]?.node === node).length;
}
