import type { Mesh } from '@evenkeel/local';
import type { BrowserContext } from 'playwright-core';
import { openPage, type ShownPage } from './shown-page.js';

/** The console of a mesh in a window, once it shows the first edge. */
export async function openConsole(context: BrowserContext, { consoleUrl }: Mesh): Promise<ShownPage> {
  if (consoleUrl === undefined) throw new Error('The mesh has no console.');
  const shown = await openPage(context, consoleUrl);
  await shown.page.waitForSelector('[data-testid=node-edge-1]');
  return shown;
}
