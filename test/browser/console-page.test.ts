import { fileURLToPath } from 'node:url';
import { FakeConsole, type FakeConsoleOptions, simulatedStatus } from '@evenkeel/testkit';
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { useBrowser } from '../support/browser.js';

const newWindow = useBrowser();
const pageDir = fileURLToPath(new URL('../../services/console/dist/web', import.meta.url));

async function fakeConsole(options: Partial<FakeConsoleOptions> = {}): Promise<FakeConsole> {
  const fake = await FakeConsole.start({ pageDir, ...options });
  onTestFinished(() => fake.close());
  return fake;
}

async function open(fake: FakeConsole, path = '', options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await newWindow(options)).newPage();
  await page.goto(`${fake.url}/#/${path}`);
  return page;
}

/** What axe finds that keeps people out: by its rule, with the first element. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

interface AxeResults {
  violations: { id: string; impact: string; nodes: { html: string }[] }[];
}

const plan = {
  total: 30,
  unplaced: 4,
  unplacedByNode: { 'edge-1': 4 },
  estimatedMs: 4_000,
  moves: [{ from: 'edge-1', to: 'edge-2', count: 30 }],
};
const amqp = {
  consuming: {
    isConnected: true,
    isBlocked: false,
    reconnects: 1,
    channels: 4,
    unconfirmed: 0,
    waiting: 0,
    operationsWaiting: 0,
    consumers: 3,
    recovering: 1,
  },
};
const answers: Readonly<Record<string, object>> = {
  '/api/node/edge-1': {
    ok: true,
    node: simulatedStatus(3, 0).nodes[0] ?? {},
    isAnswered: true,
    closes: { 4000: 3, 1006: 1 },
    gaps: { 'slow-consumer': 2 },
    refused: {},
    movesByOutcome: { done: 12 },
    limits: { maxSessions: 12_000 },
    amqp,
  },
  '/api/user/alice': {
    ok: true,
    sessions: [
      { session: 'abcdefghijklmnopqrstuv', node: 'edge-1', since: 1_700_000_000_000, unacked: 2, queued: 7 },
    ],
  },
  '/api/session/abcdefghijklmnopqrstuv': {
    ok: true,
    session: 'abcdefghijklmnopqrstuv',
    user: 'alice',
    node: 'edge-1',
    isAttached: true,
    queued: 7,
    unacked: 2,
    moves: [{ at: 1_700_000_000_000, from: 'edge-2', to: 'edge-1', outcome: 'done' }],
    history: [{ at: 1_700_000_000_000, kind: 'opened', node: 'edge-2' }],
  },
  '/api/history': {
    ok: true,
    plans: [
      { id: 'p', kind: 'drain', by: 'ann', total: 9, done: 9, state: 'done', startedAt: 1_700_000_000_000 },
    ],
  },
  '/api/events': {
    ok: true,
    events: [
      { id: '1-1', at: 1_700_000_000_000, kind: 'command', text: 'drain edge-1', by: 'ann', outcome: 'ok' },
    ],
    last: '1-1',
  },
  '/api/broker': { isConnected: true, rabbitmq: null },
};

it('every screen, light and dark, wide and on a phone, has nothing that axe calls serious or critical', async () => {
  const fake = await fakeConsole({ look: (path) => answers[path], command: () => ({ ok: true, plan }) });
  fake.push({ status: { ...simulatedStatus(3, 4), amqp } });
  const screens: Readonly<Record<string, string>> = {
    '': '[data-testid=pause]',
    plan: '[data-testid=unplaced]',
    'node/edge-1': 'text=Closed connections',
    'user/alice': 'text=1 session',
    'session/abcdefghijklmnopqrstuv': 'text=What has happened to it',
    sessions: '[data-testid=find]',
    history: 'text=drain edge-1',
    broker: 'text=1 recovering',
  };
  const wide = { viewport: { width: 1_200, height: 900 } };
  const phone = { viewport: { width: 390, height: 844 } };
  for (const options of [wide, { ...wide, colorScheme: 'dark' as const }, phone]) {
    const page = await open(fake, '', options);
    for (const [path, shows] of Object.entries(screens)) {
      await page.evaluate(`location.hash = ${JSON.stringify(`#/${path}`)}`);
      await page.waitForSelector(shows);
      expect(await barriers(page), `${path} ${JSON.stringify(options)}`).toEqual([]);
      const isWider = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      expect(isWider, `${path} scrolls sideways at ${options.viewport.width} px`).toBe(false);
    }
    await page.context().close();
  }
});

it('a view that grows old is greyed and says how old it is and why, and is current again with the next', async () => {
  const fake = await fakeConsole();
  const page = await open(fake);
  fake.push({ status: simulatedStatus(3, 4) });
  await page.waitForSelector('[data-testid=sentence]');
  expect(await page.isVisible('[data-testid=stale]')).toBe(false);

  fake.push({ broker: { isConnected: false, why: 'connection refused' } });
  await page.waitForSelector('[data-testid=stale]');
  expect(await page.textContent('[data-testid=stale]')).toMatch(
    /^as of \d+ s agoRabbitMQ is away: connection refused\.$/,
  );
  expect(await page.getAttribute('main', 'class')).toContain('is-stale');
  expect(await page.textContent('[data-testid=announcer]')).toBe('The view is stale.');
  expect(await barriers(page)).toEqual([]);

  fake.push({ status: simulatedStatus(3, 5) });
  await page.waitForSelector('[data-testid=stale]', { state: 'detached' });
});

it('whoever may only view sees everything and is offered nothing to change', async () => {
  const me = { name: 'vic', role: 'view', isOpen: false } as const;
  const fake = await fakeConsole({ me, look: (path) => answers[path], command: () => ({ ok: true, plan }) });
  fake.push({ status: simulatedStatus(3, 4) });
  const page = await open(fake);
  await page.waitForSelector('[data-testid=sentence]');
  for (const id of ['plan', 'pause', 'abort', 'undo'])
    expect(await page.isVisible(`[data-testid=${id}]`)).toBe(false);
  await page.click('[data-testid=node-edge-1] a');
  await page.waitForSelector('text=Closed connections');
  expect(await page.isVisible('[data-testid=drain]')).toBe(false);
});

it('a thousand nodes are a wall of bars, and a table in which a name is found, sorted and opened by keyboard', async () => {
  const fake = await fakeConsole({ look: (path) => answers[path] });
  fake.push({ status: simulatedStatus(1_000, 4) });
  const page = await open(fake);
  await page.waitForSelector('[data-testid=node-edge-1]');
  expect(await page.locator('tbody tr').count()).toBeLessThanOrEqual(40);
  expect(await page.getAttribute('.bars-stage', 'aria-label')).toMatch(/^1,000 nodes; the \d+ active have/);

  await page.getByRole('button', { name: /^Sessions/ }).press('Enter');
  expect(await page.getAttribute('th.c-sessions', 'aria-sort')).toBe('descending');
  await page.getByRole('searchbox').fill('edge-777');
  await page.waitForSelector('[data-testid=node-edge-777]');
  await page.locator('[data-testid=node-edge-777] a').press('Enter');
  await page.waitForSelector('h1:has-text("edge-777")');
  await page.waitForFunction("document.activeElement.id === 'main'");
});

it('an answer of a form that it does not know leaves the rest of the page as it was, and is shown once it is right', async () => {
  let history: object = { ok: true, plans: 'none' };
  const fake = await fakeConsole({
    look: (path) => (path.startsWith('/api/history') ? history : answers[path]),
  });
  fake.push({ status: simulatedStatus(3, 4) });
  const page = await open(fake, 'history');
  await page.waitForSelector('[data-testid=broken]');
  await page.click('text=Now');
  await page.waitForSelector('[data-testid=sentence]');

  history = answers['/api/history'] ?? {};
  await page.click('text=History');
  await page.waitForSelector('text=Took');
});

it('an address without a screen says so', async () => {
  const fake = await fakeConsole();
  fake.push({ status: simulatedStatus(3, 4) });
  const page = await open(fake, 'settings');
  await page.waitForSelector("text=There is no screen 'settings'");
});
