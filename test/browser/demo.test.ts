import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startTestMesh } from '../support/mesh.js';
import { openPage, textOf, until } from '../support/shown-page.js';

const newWindow = useBrowser();

/** No inline script or style, nothing from elsewhere; an edge is at an address of its own. */
const strictPolicy = "default-src 'self'; connect-src 'self' ws:; base-uri 'none'";

/** A copy of the page's folder that asks for a strict policy. */
function strictPage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(import.meta.dirname, '..', '..', 'services', 'demo', 'public'), folder, { recursive: true });
  const index = join(folder, 'index.html');
  const policy = `<meta http-equiv="content-security-policy" content="${strictPolicy}" />`;
  writeFileSync(index, readFileSync(index, 'utf8').replace('<head>', `<head>${policy}`));
  return folder;
}

it('the demo page shows its node and live events, and goes on in order when its node is stopped', async () => {
  const mesh = await startTestMesh({ edges: 2, demo: true, env: { EVENKEEL_PAGE_DIR: strictPage() } });
  const { page, complaints } = await openPage(await newWindow(), `${mesh.gatewayUrl}/?user=alice`);
  const text = textOf(page);

  await until('the page is connected', async () => (await text('status')) === 'connected');
  expect(await text('user')).toBe('alice');
  const node = await text('node');
  expect(mesh.edges.map((edge) => edge.node)).toContain(node);
  await until('events come', async () => Number(await text('event-count')) >= 2);
  await until('prices come', async () => Number(await text('price-count')) >= 2);
  expect(await text('events')).toContain('order.created: ');
  expect(await text('price')).toMatch(/^\d+\.\d\d$/);
  expect(await text('gaps')).toBe('0');
  // Nobody could add an edge here: no `npm start` runs this mesh, and there is no crowd.
  expect(await page.isVisible('#add-edge')).toBe(false);
  expect(await page.isVisible('#no-crowd')).toBe(true);

  await page.click('#rebalance');
  await until('the button is answered', async () => !(await page.isDisabled('#rebalance')));
  expect(await text('answer')).toBe('All nodes are level already.');

  await page.evaluate(`
    globalThis.states = [];
    const pill = document.getElementById('status');
    new MutationObserver(() => states.push(pill.textContent)).observe(pill, { childList: true });
  `);
  await mesh.edges.find((edge) => edge.node === node)?.stop();
  await until('the page has moved', async () => (await text('moves')) === '1');
  expect(await text('node')).not.toBe(node);
  expect(await text('path')).toBe(`before: ${node}`);
  const before = Number(await text('event-count'));
  await until('events go on', async () => Number(await text('event-count')) >= before + 2);

  expect(new Set(await page.evaluate<string[]>('states'))).toEqual(new Set(['moving', 'connected']));
  expect(await text('status')).toBe('connected');
  expect(await text('order')).toBe('in order');
  expect(await text('gaps')).toBe('0');
  expect(await text('moves')).toBe('1');
  expect(complaints).toEqual([]);
});
