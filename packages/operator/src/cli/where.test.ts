import { expect, it } from 'vitest';
import { printed } from '../../testing/printed.js';

/** What `evenkeel where alice --nodes` prints when her sessions are on these nodes. */
async function nodesOf(...on: string[]): Promise<string> {
  const sessions = on.map((node, i) => ({ session: `s${i}`, node }));
  const where = async () => ({ ok: true, sessions });
  return await printed({ where }, ['where', 'alice', '--nodes']);
}

it('where --nodes prints each node of a user once, as drain takes them', async () => {
  expect(await nodesOf('edge-2', 'edge-1', 'edge-2')).toBe('edge-2\nedge-1\n');
});

it('where --nodes is refused without a session, so that nothing else is drained', async () => {
  await expect(nodesOf()).rejects.toMatchObject({ code: 'no-session' });
});
