import { createProgram } from '../src/cli/program.js';
import type { Operator } from '../src/operator.js';

const unused = (): never => {
  throw new Error('not asked for');
};

/** What `evenkeel WORDS` prints where an operator answers so; of it only what the command calls. */
export async function printed(operator: object, words: readonly string[]): Promise<string> {
  let text = '';
  const program = createProgram({
    terminal: { isTty: false, out: (more: string) => (text += more) } as unknown as Parameters<
      typeof createProgram
    >[0]['terminal'],
    version: '0',
    withOperator: (_options, work) => work(operator as unknown as Operator),
    send: unused,
    addresses: unused,
  });
  await program.parseAsync([...words], { from: 'user' });
  return text;
}
