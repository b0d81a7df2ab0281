import { existsSync } from 'node:fs';
import { environment } from './environment.js';
import { Failure } from './failure.js';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** No sandbox, since root has none; nothing of its own on the network, which may not be there. */
export const chromiumArgs = [
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

/** An installed Chromium: Debian's, or what EVENKEEL_CHROMIUM names. @throws Failure `no-chromium` */
export function chromiumPath(): string {
  const path = environment().EVENKEEL_CHROMIUM || places.find((each) => existsSync(each));
  if (path !== undefined) return path;
  throw new Failure(
    'no-chromium',
    'No Chromium is installed: apt-get install chromium, or set EVENKEEL_CHROMIUM to its path.',
  );
}
