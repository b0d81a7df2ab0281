import { createProgram } from '../src/cli/program.js';
import type { Terminal } from '../src/cli/terminal.js';
import type { Operator } from '../src/operator.js';

const unused = (): never => {
  throw new Error('not asked for');
};

/** A terminal that nobody sits at, which keeps what is written to it. */
export class TestTerminal implements Terminal {
  text = '';
  errors = '';
  isTty = false;
  isErrTty = false;
  hasColor = false;
  columns = 80;
  rows = 24;
  isInterrupted = false;
  /** What is asked, and the answer that it gets. */
  questions: string[] = [];
  answer: string | undefined;
  #key: ((key: string) => void) | undefined;
  #sleeps = 0;
  /** Before the n-th sleep, from 1. */
  onSleep: (count: number) => void = () => {};

  out(text: string): void {
    this.text += text;
  }

  err(text: string): void {
    this.errors += text;
  }

  async sleep(_ms: number): Promise<void> {
    this.#sleeps += 1;
    this.onSleep(this.#sleeps);
  }

  wake(): void {}

  async ask(question: string): Promise<string | undefined> {
    this.questions.push(question);
    return this.answer;
  }

  onKey(take: (key: string) => void): () => void {
    this.#key = take;
    return () => {
      this.#key = undefined;
    };
  }

  press(key: string): void {
    this.#key?.(key);
  }
}

/** What `evenkeel WORDS` prints where an operator answers so; of it only what the command calls. */
export async function printed(
  operator: object,
  words: readonly string[],
  terminal: TestTerminal = new TestTerminal(),
): Promise<string> {
  const program = createProgram({
    terminal,
    version: '0',
    withOperator: (_options, work) => work(operator as unknown as Operator),
    send: unused,
    addresses: unused,
    brokerOf: unused,
    words: (kind, ask) => ask(kind),
  });
  await program.parseAsync([...words], { from: 'user' });
  return terminal.text;
}
