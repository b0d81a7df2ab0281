import { expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { openConsole } from '../support/console-on-screen.js';
import { startControlledTestMesh } from '../support/mesh.js';

const newWindow = useBrowser();

it('while no balancer answers the page keeps what it knew and says how old it is, and goes on by itself afterwards', async () => {
  const mesh = await startControlledTestMesh({ edges: 2, console: true });
  const { page } = await openConsole(await newWindow(), mesh);
  await page.waitForSelector('[data-testid=stale]', { state: 'detached' });
  for (const balancer of mesh.balancers) balancer.pause();
  await page.waitForSelector('[data-testid=stale]');
  expect(await page.textContent('[data-testid=stale]')).toMatch(/^as of \d+ s ago/);
  expect(await page.isVisible('[data-testid=node-edge-1]')).toBe(true);
  for (const balancer of mesh.balancers) balancer.resume();
  await page.waitForSelector('[data-testid=stale]', { state: 'detached' });
});
