import { expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startControlledTestMesh } from '../support/mesh.js';
import { openPage, textOf, until } from '../support/shown-page.js';

const newWindow = useBrowser();

it('a crowd loses, repeats and reorders nothing while the page adds a node, drains its own and crashes one', async () => {
  const crowd = 40;
  const mesh = await startControlledTestMesh({ edges: 2, demo: true, crowd });
  const { page, complaints } = await openPage(await newWindow(), `${mesh.gatewayUrl}/?user=alice`);
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
