import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Feed, type Live } from './live.js';

const me = { name: 'ann', role: 'operate', isOpen: false };

class Source {
  static readonly CLOSED = 2;
  static readonly open = new Set<Source>();
  readonly readyState = 1;
  onmessage?: (event: { data: string }) => void;
  constructor() {
    Source.open.add(this);
  }
  close(): void {
    Source.open.delete(this);
  }
}

beforeEach(() => {
  Source.open.clear();
  vi.stubGlobal('EventSource', Source);
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(me)));
});

/** A page, and what it knows. */
function page(hidden: boolean) {
  const shown = Object.assign(new EventTarget(), { hidden });
  let live: Live | undefined;
  const feed = new Feed((now) => {
    live = now;
  }, shown);
  onTestFinished(() => feed.close());
  const show = (isShown: boolean) => {
    shown.hidden = !isShown;
    shown.dispatchEvent(new Event('visibilitychange'));
  };
  return { feed, show, live: () => live };
}

const streams = (n: number) => vi.waitFor(() => expect(Source.open.size).toBe(n));

it('a page that goes to the background has no stream, and one again when it is shown, and knows what it knew', async () => {
  const { feed, show, live } = page(false);
  await feed.open();
  await streams(1);
  const [source] = Source.open;
  const view = { me, at: 1, broker: { isConnected: true }, status: { ok: true, nodes: [], leader: 'b' } };
  source?.onmessage?.({ data: JSON.stringify(view) });
  show(false);
  expect(Source.open.size).toBe(0);
  show(true);
  await streams(1);
  expect(live()?.status?.leader).toBe('b');
  feed.close();
  show(true);
  expect(Source.open.size).toBe(0);
});

it('a page that was opened in the background begins when it is shown', async () => {
  const { feed, show, live } = page(true);
  await feed.open();
  expect([Source.open.size, live()]).toEqual([0, undefined]);
  show(true);
  await streams(1);
});

it('a page that is hidden while it asks who it is opens no stream, and one that is shown meanwhile opens one', async () => {
  const { feed, show } = page(false);
  const opened = feed.open();
  show(false);
  await opened;
  expect(Source.open.size).toBe(0);
  show(true);
  show(false);
  show(true);
  await streams(1);
});

it('a page that waits for a login asks nothing when it is shown', async () => {
  const { feed, show, live } = page(false);
  const fetched = vi.fn(async () => new Response('{"error":{"code":"not-logged-in"}}', { status: 401 }));
  vi.stubGlobal('fetch', fetched);
  await feed.open();
  expect(live()?.isSignedOut).toBe(true);
  show(false);
  show(true);
  expect(fetched).toHaveBeenCalledTimes(1);
});
