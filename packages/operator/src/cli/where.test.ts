import { expect, it } from 'vitest';
import type { Operator } from '../operator.js';
import { createProgram } from './program.js';

/** What `evenkeel where alice --nodes` prints when her sessions are on these nodes. */
async function nodesOf(...on: string[]): Promise<string> {
  let printed = '';
  const sessions = on.map((node, i) => ({ session: `s${i}`, node }));
  const operator = { where: async () => ({ ok: true, sessions }) } as unknown as Operator;
  const unused = (): never => {
    throw new Error('not asked for');
  };
  const program = createProgram({
    terminal: { isTty: false, out: (text: string) => (printed += text) } as unknown as Parameters<
      typeof createProgram
    >[0]['terminal'],
    version: '0',
    withOperator: (_options, work) => work(operator),
    send: unused,
    addresses: unused,
  });
  await program.parseAsync(['where', 'alice', '--nodes'], { from: 'user' });
  return printed;
}

it('where --nodes prints each node of a user once, as drain takes them', async () => {
  expect(await nodesOf('edge-2', 'edge-1', 'edge-2')).toBe('edge-2\nedge-1\n');
});

it('where --nodes is refused without a session, so that nothing else is drained', async () => {
  await expect(nodesOf()).rejects.toMatchObject({ code: 'no-session' });
});
