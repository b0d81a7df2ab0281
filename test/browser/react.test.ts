import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it, onTestFinished, vi } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { startTestMesh } from '../support/mesh.js';
import { servePages } from '../support/page-server.js';
import { Numbers } from '../support/recorded-page.js';

const newWindow = useBrowser();
const user = 'react user';
const topic = 'numbers.all';

interface Seen {
  readonly events: readonly number[];
  readonly messages: readonly number[];
  readonly mounts: number;
  readonly errors: readonly string[];
  readonly statuses: readonly string[];
  readonly state: string;
}

/** The page with its script, in the development build of React: only that mounts twice. */
async function serveStrictPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-react-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outfile = join(folder, 'strict.js');
  await build({
    entryPoints: [join(import.meta.dirname, 'pages', 'strict.js')],
    bundle: true,
    format: 'esm',
    external: ['/evenkeel.js'],
    define: { 'process.env.NODE_ENV': '"development"' },
    outfile,
  });
  return await servePages({ '/strict.bundle.js': outfile });
}

const waiting = { timeout: 20_000, interval: 50 };

it('in React’s StrictMode each component gets each event and message once, also where several give one function', async () => {
  const [mesh, origin] = await Promise.all([startTestMesh({ edges: 1, balancer: false }), serveStrictPage()]);
  const numbers = await Numbers.to(mesh, user, topic);
  const page = await (await newWindow()).newPage();
  const query = new URLSearchParams({ gateway: mesh.gatewayUrl, user, topic });
  await page.goto(`${origin}/strict.html?${query}`);
  const seen = () => page.evaluate<Seen>('seen()');
  const until = (holds: (now: Seen) => void) => vi.waitFor(async () => holds(await seen()), waiting);
  /** So many components, and a call to each that is answered when they have subscribed. */
  const show = async (count: number, mounts: number) => {
    await page.evaluate(`show(${count})`);
    await until((now) => expect(now).toMatchObject({ mounts, state: 'connected' }));
  };
  const each = (times: number, ...of: number[]) => of.flatMap((n) => Array<number>(times).fill(n));

  await show(1, 2);
  await vi.waitFor(async () => {
    await numbers.more(1);
    expect((await seen()).messages.length).toBeGreaterThan(0);
  }, waiting);
  const first = await numbers.more(1);
  await until(({ events, messages }) => expect([events.at(-1), messages.at(-1)]).toEqual([first, first]));
  const begun = await seen();
  expect(begun.events).toEqual([...new Set(begun.events)]);
  expect(begun.messages).toEqual([...new Set(begun.messages)]);

  await show(2, 4);
  const second = await numbers.more(2);
  const both = each(2, second - 1, second);
  await until(({ events, messages }) => {
    expect(events.slice(begun.events.length)).toEqual(both);
    expect(messages.slice(begun.messages.length)).toEqual(both);
  });

  // One of them goes; the other's registration, of the same functions, stays.
  await show(1, 4);
  const third = await numbers.more(2);
  const rest = each(1, third - 1, third);
  await until(({ events, messages }) => {
    expect(events.slice(begun.events.length)).toEqual([...both, ...rest]);
    expect(messages.slice(begun.messages.length)).toEqual([...both, ...rest]);
  });
  const { errors, statuses } = await seen();
  expect(errors).toEqual([]);
  expect(statuses).not.toContain('gap');
});
