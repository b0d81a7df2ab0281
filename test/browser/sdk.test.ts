import { defaults } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';
import { Numbers, RecordedPage, type Recording } from '../support/recorded-page.js';

const newWindow = useBrowser();
const user = 'browser user';
const topic = 'numbers.all';

/** A mesh without a balancer, so that nothing moves but what the test moves, and a page on it. */
async function openPage(file: 'page.html' | 'worker.html') {
  const mesh = await startTestMesh({ edges: 2, balancer: false });
  const numbers = await Numbers.to(mesh, user, topic);
  const context = await newWindow();
  const page = await RecordedPage.open(context, mesh, { file, user, topic });
  return { mesh, numbers, context, page };
}

const types = (recording: Recording) => recording.statuses.map((status) => status.type);
const gaps = (recording: Recording) => recording.statuses.filter((status) => status.type === 'gap');

describe.each([
  { where: 'a page', file: 'page.html', moves: 20 },
  { where: 'a web worker', file: 'worker.html', moves: 5 },
] as const)('a client in $where', ({ file, moves }) => {
  it(`gets 100 events a second, each once and in order, while it is moved ${moves} times`, async () => {
    const { numbers, page } = await openPage(file);
    numbers.start(100);
    for (let i = 0; i < moves; i++) await page.move();
    const last = await numbers.stop();
    const recording = await page.until('has got the last', ({ events, messages }) =>
      [events, messages].every((got) => got.includes(last)),
    );

    expect(gaps(recording)).toEqual([]);
    expect(recording.events).toEqual(range(1, last));
    expect(recording.messages).toEqual(range(1, last));
    expect(types(recording).filter((type) => type === 'moved')).toHaveLength(moves);
    // Nothing else: not disconnected, no gap, no failed attempt.
    expect(new Set(types(recording))).toEqual(
      new Set(['connecting', 'connected', 'subscribed', 'moving', 'moved']),
    );
    expect([...recording.errors, ...page.complaints]).toEqual([]);
  });
});

describe('a client in a page', () => {
  it('comes back to its session when the browser was offline: every event once, a gap for the topic', async () => {
    const { numbers, context, page } = await openPage('page.html');
    await numbers.more(10);
    const before = await page.until('has got ten', ({ messages }) => messages.includes(10));

    await context.setOffline(true);
    await page.until('is disconnected', ({ state }) => state === 'connecting');
    await numbers.more(10);
    await context.setOffline(false);
    const back = await page.until(
      'is back',
      ({ state, events }) => state === 'connected' && events.includes(20),
    );
    const last = await numbers.more(10);
    const recording = await page.until('has got the last', ({ events, messages }) =>
      [events, messages].every((got) => got.includes(last)),
    );

    expect(back.session).toBe(before.session);
    expect(recording.statuses.findLast((status) => status.type === 'connected')?.resumed).toBe(true);
    expect(recording.events).toEqual(range(1, last));
    expect(gaps(recording)).toEqual([{ type: 'gap', topic, reason: 'connection-lost' }]);
    expect(recording.messages).toEqual([...range(1, 10), ...range(21, last)]);
  });

  it('keeps its session over a reload: what was published meanwhile arrives, in order', async () => {
    const { numbers, page } = await openPage('page.html');
    numbers.start(100);
    const before = await page.until('has got some', ({ events }) => events.length >= 50);
    await page.page.reload();
    await page.until('is connected again', ({ events }) => events.length >= 50);
    const last = await numbers.stop();
    const after = await page.until('has got the last', ({ events }) => events.includes(last));

    expect(after.session).toBe(before.session);
    expect(after.statuses.find((status) => status.type === 'connected')?.resumed).toBe(true);
    const first = after.events[0] ?? 0;
    // What the page that went has not acknowledged comes again, at most a window.
    const handled = after.before ?? 0;
    expect(first).toBeLessThanOrEqual(handled + 1);
    expect(first).toBeGreaterThan(handled - defaults.window);
    expect(after.events).toEqual(range(first, last));
    expect(gaps(after)).toEqual([]);
  });

  it('has a session of its own in each tab, a duplicated one included', async () => {
    const { context, page } = await openPage('page.html');
    // A page that was reloaded has read its session from the storage, and must have left none there.
    await page.page.reload();
    const { session } = await page.until('is connected again', ({ state }) => state === 'connected');
    const opening = context.waitForEvent('page');
    // Such a window begins with a copy of the opener's storage, as a duplicated tab does.
    await page.page.evaluate('void window.open(location.href)');
    const other = await opening;
    await expect
      .poll(async () => (await other.evaluate<Recording>('globalThis.recording?.()'))?.state, {
        timeout: 20_000,
      })
      .toBe('connected');
    const copy = await other.evaluate<Recording>('recording()');
    expect(copy.session).not.toBe(session);
    expect((await page.recording()).state).toBe('connected');
  });
});
