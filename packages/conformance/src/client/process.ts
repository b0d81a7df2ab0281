import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One JSON object that the client has printed. */
export interface Line {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** How much of what a client writes to standard error is shown. */
const shownErrors = 600;

const running = new Set<ClientProcess>();
process.once('exit', () => {
  for (const client of running) client.kill();
});

/** The client under test, with its driver: a program of any language that prints one JSON object a line. */
export class ClientProcess {
  readonly lines: Line[] = [];
  /** How it ended, if it has. */
  ended: string | undefined;
  /** A line that is no JSON object with a `kind`. */
  badLine: string | undefined;
  #errors = '';
  readonly #child: ChildProcess;

  /** `command` is a line for the shell. */
  constructor(command: string, variables: Readonly<Record<string, string>>) {
    // biome-ignore lint/style/noProcessEnv: the client is started as from this terminal.
    const env = { ...process.env, ...variables };
    // A group of its own: with the shell goes what it has started.
    const child = spawn(command, { shell: true, detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    running.add(this);
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    child.stderr.on('data', (text: Buffer) => {
      this.#errors = (this.#errors + text.toString()).slice(-shownErrors);
    });
    child.on('error', (error) => {
      this.ended ??= error.message;
    });
    child.on('close', (code, signal) => {
      this.ended ??= signal === null ? `exit status ${code}` : `signal ${signal}`;
      running.delete(this);
    });
  }

  /** The end of what it wrote to standard error. */
  get errors(): string {
    return this.#errors.trim();
  }

  kill(): void {
    running.delete(this);
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It has gone already.
    }
  }

  #read(text: string): void {
    if (text.trim() === '') return;
    try {
      const line = JSON.parse(text) as Line | null;
      if (typeof line?.kind !== 'string') throw new Error('no kind');
      this.lines.push(line);
    } catch {
      this.badLine ??= text.slice(0, 200);
    }
  }
}
