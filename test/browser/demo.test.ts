import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startControlledTestMesh, startTestMesh } from '../support/mesh.js';

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

/** A window with the page in it, and all that it complains about. */
async function openPage(url: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await (await newWindow()).newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(url);
  return { page, complaints };
}

const textOf =
  (page: Page) =>
  async (id: string): Promise<string> =>
    (await page.textContent(`#${id}`)) ?? '';

const until = (what: string, holds: () => Promise<boolean>) =>
  expect.poll(holds, { timeout: 40_000, interval: 50, message: what }).toBe(true);

it('the demo page shows its node and live events, and goes on in order when its node is stopped', async () => {
  const mesh = await startTestMesh({ edges: 2, demo: true, env: { EVENKEEL_PAGE_DIR: strictPage() } });
  const { page, complaints } = await openPage(`${mesh.gatewayUrl}/?user=alice`);
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

it('a crowd loses, repeats and reorders nothing while the page adds a node, drains its own and crashes one', async () => {
  const crowd = 40;
  const mesh = await startControlledTestMesh({ edges: 2, demo: true, crowd });
  const { page, complaints } = await openPage(`${mesh.gatewayUrl}/?user=alice`);
  const text = textOf(page);
  const view = async () => (await (await fetch(`${mesh.gatewayUrl}/crowd.json`)).json()) as CrowdJson;
  const sessionsOn = async (node: string): Promise<number> =>
    Number(await page.getAttribute(`[data-testid=node-${node}]`, 'data-sessions'));
  const stateOf = (node: string) => page.getAttribute(`[data-testid=node-${node}]`, 'data-state');

  await until('the whole crowd is connected', async () => (await view()).clients === crowd);
  await until('the page is connected', async () => (await text('status')) === 'connected');

  await page.click('#add-edge');
  await until('the new node has its share', async () => (await sessionsOn('edge-3')) >= crowd / 4);

  const mine = await text('node');
  await page.click('#drain-mine');
  await until('the node is empty', async () => (await sessionsOn(mine)) === 0);
  await until('the page has moved', async () => (await text('node')) !== mine);
  expect(await stateOf(mine)).toBe('cordoned');
  await page.click(`[data-testid=node-${mine}] button:has-text("Bring back")`);
  await until('it takes clients again', async () => (await sessionsOn(mine)) >= crowd / 4);

  await page.click('#crash-one');
  const crashed = await page.waitForSelector('[data-state=crashed]');
  const node = (await crashed.getAttribute('data-testid'))?.replace('node-', '') ?? '';
  await until('everybody is connected elsewhere', async () => (await view()).clients === crowd);
  await until('it has been started again', async () => (await stateOf(node)) === 'active');
  await until('it has its share again', async () => (await sessionsOn(node)) >= crowd / 4);

  const { events } = await view();
  await until('events go on', async () => (await view()).events >= events + 2 * crowd);
  const last = await view();
  expect(last).toMatchObject({ clients: crowd, lost: 0, repeated: 0, reordered: 0, canControl: true });
  // Whoever was on the node that crashed was told that its topic may have a gap.
  expect(last.gaps).toBeGreaterThan(0);
  for (const counter of ['lost', 'repeated', 'reordered']) {
    expect(await page.textContent(`[data-testid=${counter}]`)).toBe('0');
  }
  expect(await text('order')).toBe('in order');
  // An edge that dies takes its socket with it: browsers say so themselves.
  expect(complaints.filter((complaint) => !complaint.includes('WebSocket'))).toEqual([]);
});

interface CrowdJson {
  clients: number;
  events: number;
  lost: number;
  repeated: number;
  reordered: number;
  gaps: number;
}
