import { describe, expect, it } from 'vitest';
import { node, statusOf } from '../../testing/nodes.js';
import { printed } from '../../testing/printed.js';
import { OperatorError } from '../errors.js';

/** How `evenkeel drain e1 e2 --wait` ends where these stay on the nodes. */
async function drained(sessions: Record<string, number>, held: (name: string) => object[]) {
  const drain = { state: 'stayed', why: 'no active node has room' };
  const nodes = Object.entries(sessions).map(([name, count]) =>
    node(name, { state: 'draining', sessions: count, drain }),
  );
  const operator = {
    status: async () => statusOf(nodes),
    drain: async () => ({ ok: true, plan: null }),
    node: async (name: string) => ({ ok: true, node: nodes[0], isAnswered: true, held: held(name) }),
  };
  const names = Object.keys(sessions);
  return await printed(operator, ['drain', ...names, '--wait', '--yes']).catch((error: unknown) => error);
}

const named = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ session: `${name}s${i}`, user: 'ann', node: name }));

describe('drain --wait of nodes that do not become empty', () => {
  it('names who stays, node by node, and why', async () => {
    const failure = await drained({ e1: 2, e2: 1 }, (name) => named(name, name === 'e1' ? 2 : 1));
    expect(failure).toMatchObject({
      code: 'unfinished',
      message:
        '3 sessions stayed: no active node has room on e1; no active node has room on e2; on e1: ann.e1s0, ann.e1s1; on e2: ann.e2s0',
      stayed: [
        { node: 'e1', sessions: 2, why: 'no active node has room', names: ['ann.e1s0', 'ann.e1s1'] },
        { node: 'e2', sessions: 1, names: ['ann.e2s0'] },
      ],
    });
  });

  it('names ten at most in all, and says how many more there are', async () => {
    const failure = await drained({ e1: 8, e2: 500 }, (name) => named(name, name === 'e1' ? 8 : 10));
    expect(failure).toMatchObject({
      message: expect.stringMatching(
        /on e1: (?:\S+, ){7}ann\.e1s7; on e2: ann\.e2s0, ann\.e2s1 and 498 more$/,
      ),
    });
  });

  it('says that somebody stays also where the edge does not say who', async () => {
    const failure = await drained({ e1: 3 }, () => {
      throw new OperatorError('timeout', 'no balancer answered');
    });
    expect(failure).toMatchObject({ message: '3 sessions stayed: no active node has room on e1' });
  });
});
