import { chromiumArgs, chromiumPath } from '@evenkeel/local';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

/**
 * One headless Chromium for the tests of a file: Debian's, or what EVENKEEL_CHROMIUM names. The function returned
 * opens a window with storage of its own that is closed when the running test ends.
 */
export function useBrowser(): (options?: BrowserContextOptions) => Promise<BrowserContext> {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
  });
  afterAll(async () => {
    await browser?.close();
  });
  return async (options = {}) => {
    if (browser === undefined) throw new Error('There is no browser outside of tests.');
    const context = await browser.newContext({ viewport: { width: 1_200, height: 900 }, ...options });
    onTestFinished(() => context.close());
    return context;
  };
}
