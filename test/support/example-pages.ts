import type { Mesh } from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import type { BrowserContext, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { addressesOf, exampleNamespaces, folderOf, runExample } from './example-programs.js';
import { startTestMesh } from './mesh.js';
import { until } from './shown-page.js';

/** A mesh as the examples want it, and the page of one, which opens for a user in a window of its own. */
export async function exampleWithPage(newWindow: () => Promise<BrowserContext>, example: string) {
  // However long a page takes to load anew, it has not left.
  const env = { EVENKEEL_NAMESPACES: exampleNamespaces, EVENKEEL_PRESENCE_GRACE_MS: '20000' };
  const mesh = await startTestMesh({ edges: 3, env });
  const folder = folderOf(addressesOf(mesh));
  const served = runExample('serve.mjs', [example, '0'], folder);
  await eventually('the page is served', () => served.text().includes('http://'), 20_000);
  const [, origin = ''] = /(http:\/\/\S+)\/\?/.exec(served.text()) ?? [];
  const complaints: string[] = [];
  const open = async (user: string): Promise<Page> => {
    const page = await (await newWindow()).newPage();
    page.on('pageerror', (error) => complaints.push(`${user}: ${error.message}`));
    await page.goto(`${origin}/?user=${user}`);
    await until(`${user} is connected`, async () => (await shown(page, 'status')) === 'connected');
    return page;
  };
  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  return { mesh, folder, open, operator, complaints };
}

export const shown = async (page: Page, name: string) =>
  (await page.textContent(`[data-testid=${name}]`)) ?? '';
export const edgeOf = async (mesh: Mesh, page: Page) => {
  const node = await shown(page, 'node');
  return mesh.edges.find((edge) => edge.node === node);
};
