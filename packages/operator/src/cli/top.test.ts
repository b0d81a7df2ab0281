import { describe, expect, it } from 'vitest';
import { node, statusOf } from '../../testing/nodes.js';
import { printed, TestTerminal } from '../../testing/printed.js';

const status = async () =>
  statusOf(
    Array.from({ length: 300 }, (_, i) =>
      node(`edge-${i + 1}`, { sessions: i, connections: i, capacity: 1_000 }),
    ),
    { mode: 'auto', why: 'level within the thresholds' },
  );

/** The frames of `evenkeel top` on a screen of this size, as it is read; a key before each but the first. */
async function frames(size: { rows: number; columns: number }, keys: string[] = [], words: string[] = []) {
  const terminal = Object.assign(new TestTerminal(), size, { isTty: true });
  terminal.onSleep = (count) => terminal.press(keys[count - 1] ?? '');
  await printed({ status }, ['top', '--frames', String(keys.length + 1), ...words], terminal);
  return terminal.text
    .split('\u001b[H')
    .slice(1)
    .map((frame) => frame.replaceAll(/\p{Cc}\[(?:K|J|\?25h|\?1049l)/gu, '').split('\n'));
}

const nodesIn = (frame: string[] = []) => frame.flatMap((line) => /^edge-\d+/.exec(line)?.[0] ?? []);

describe('top on a screen', () => {
  it('fits its rows and columns, with the fullest nodes, and says how many there are', async () => {
    const [frame = []] = await frames({ rows: 24, columns: 60 });
    expect(frame).toHaveLength(24);
    for (const line of frame) expect(line.length).toBeLessThanOrEqual(60);
    expect(nodesIn(frame).slice(0, 2)).toEqual(['edge-300', 'edge-299']);
    expect(frame.find((line) => line.startsWith('NODE'))).toMatch(/STATE.*SESSIONS.*USED/);
    expect(frame.at(-1)).toMatch(/^1 to \d+ of 300 nodes/);
    expect((await frames({ rows: 400, columns: 200 }))[0]?.join('\n')).toMatch(/URL/);
  });

  it('is one line or none on a screen that has no room', async () => {
    const [frame = []] = await frames({ rows: 3, columns: 10 });
    expect(frame).toHaveLength(3);
  });

  it('sorts and scrolls by keys, and ends with q', async () => {
    const all = await frames({ rows: 24, columns: 80 }, ['n', '\u001b[B', '\u001b[6~', 'g']);
    // After a key the last answer is drawn again at once, then the next.
    const firsts = all.map((frame) => nodesIn(frame)[0]);
    const page = nodesIn(all[0]).length;
    expect([firsts[0], firsts[2], firsts[4], firsts[6], firsts[8]]).toEqual([
      'edge-300',
      'edge-1',
      'edge-2',
      `edge-${page + 2}`,
      'edge-1',
    ]);
    expect(await frames({ rows: 24, columns: 80 }, ['q', 'n'])).toHaveLength(1);
  });

  it('never scrolls past the last node', async () => {
    const keys = Array.from({ length: 40 }, () => ' ');
    const last = (await frames({ rows: 24, columns: 80 }, keys, ['--sort', 'node'])).at(-1);
    expect(nodesIn(last).at(-1)).toBe('edge-300');
  });
});

describe('status --watch and top over a pipe', () => {
  it('print all nodes, frame after frame, or a JSON object a line', async () => {
    const text = await printed({ status }, ['status', '--watch', '--frames', '2', '--sort', 'sessions']);
    expect(text.match(/edge-300 /g)).toHaveLength(2);
    const lines = (await printed({ status }, ['status', '--watch', '--frames', '2', '--json']))
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line).nodes.length)).toEqual([300, 300]);
  });

  it('filter and sort the nodes of their JSON too', async () => {
    const text = await printed({ status }, ['status', '--json', '--state', 'draining', 'suspect']);
    expect(JSON.parse(text)).toMatchObject({ ok: true, nodes: [], mode: 'auto' });
    expect(await printed({ status }, ['status', '--state', 'draining'])).toContain('No node is draining.');
  });
});
