import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** No sandbox, since root has none; nothing of its own on the network, which may not be there. */
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-quic',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * One headless Chromium for the tests of a file: Debian's, or what EVENKEEL_CHROMIUM names. The function returned
 * opens a window with storage of its own that is closed when the running test ends.
 */
export function useBrowser(): () => Promise<BrowserContext> {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executable(), args });
  });
  afterAll(async () => {
    await browser?.close();
  });
  return async () => {
    if (browser === undefined) throw new Error('There is no browser outside of tests.');
    const context = await browser.newContext({ viewport: { width: 1_200, height: 900 } });
    onTestFinished(() => context.close());
    return context;
  };
}

function executable(): string {
  const path = process.env.EVENKEEL_CHROMIUM || places.find((each) => existsSync(each));
  if (path === undefined) {
    throw new Error(
      'No Chromium is installed: apt-get install chromium, or set EVENKEEL_CHROMIUM to its path.',
    );
  }
  return path;
}
