import { expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startTestMesh } from '../support/mesh.js';

const newWindow = useBrowser();

it('the demo page shows its node and live events, and goes on in order when its node is drained', async () => {
  const mesh = await startTestMesh({ edges: 2, demo: true });
  const page = await (await newWindow()).newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  const text = async (id: string): Promise<string> => (await page.textContent(`#${id}`)) ?? '';
  const until = (what: string, holds: () => Promise<boolean>) =>
    expect.poll(holds, { timeout: 20_000, interval: 50, message: what }).toBe(true);

  await page.goto(`${mesh.gatewayUrl}/?user=alice`);
  await until('the page is connected', async () => (await text('status')) === 'connected');
  expect(await text('user')).toBe('alice');
  const node = await text('node');
  expect(mesh.edges.map((edge) => edge.node)).toContain(node);
  await until('events come', async () => Number(await text('event-count')) >= 2);
  await until('prices come', async () => Number(await text('price-count')) >= 2);
  expect(await text('events')).toContain('order.created: ');
  expect(await text('price')).toMatch(/^\d+\.\d\d$/);
  expect(await text('gaps')).toBe('0');

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
