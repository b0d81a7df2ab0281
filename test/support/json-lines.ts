import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** The distribution's own, which has the packages that `npm test` installs. */
export const python = '/usr/bin/python3';

/** A program that prints one JSON object a line, for the running test: it is ended when the test is over. */
export class JsonLines {
  readonly lines: Record<string, unknown>[] = [];
  #errors = '';
  #end: string | undefined;
  readonly #onChange = new Set<() => void>();

  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    onTestFinished(() => void child.kill());
    createInterface(child.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
      this.#changed();
    });
    child.stderr.on('data', (text: Buffer) => {
      this.#errors += text.toString();
    });
    child.on('error', (error) => this.#ended(error.message));
    child.on('close', (code, signal) => this.#ended(`it ended with ${code ?? signal}`));
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Waits until `isTrue` of what has been printed. @throws Error when the program ends first. */
  async until(
    what: string,
    isTrue: (lines: readonly Record<string, unknown>[]) => boolean,
    timeoutMs = 20_000,
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error) => {
        clearTimeout(deadline);
        clearInterval(look);
        this.#onChange.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const fail = (why: string) => {
        const last = JSON.stringify(this.lines.slice(-3));
        done(new Error(`${what}: ${why}; ${this.lines.length} lines, last ${last}\n${this.#errors}`));
      };
      const check = () => {
        if (isTrue(this.lines)) done();
        else if (this.#end !== undefined) fail(this.#end);
      };
      const deadline = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
      // What is waited for may not depend on the program alone.
      const look = setInterval(check, 50);
      this.#onChange.add(check);
      check();
    });
  }

  /** Ends it by a signal; resolves when it has ended and all that it printed is in `lines`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const closed = this.#end === undefined ? once(this.#child, 'close') : undefined;
    this.#child.kill(signal);
    await closed;
  }

  #ended(how: string): void {
    this.#end ??= how;
    this.#changed();
  }

  #changed(): void {
    for (const fn of [...this.#onChange]) fn();
  }
}
