import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Failure } from './failure.js';
import { watchOver } from './guard.js';

/** Receives what a child writes, line by line. */
export type LineSink = (name: string, line: string) => void;

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly onLine: LineSink;
}

const rememberedLines = 20;

/**
 * One running child: in a process group of its own, so that signals from the terminal do not reach it
 * past us and so that nothing it started outlives it; watched over by the guard.
 */
export class Child {
  readonly name: string;
  readonly pid: number;
  /** Settles when it has ended, with its exit status or the signal that ended it. */
  readonly exited: Promise<string>;
  readonly #process: ChildProcess;
  readonly #lastLines: string[] = [];
  #hasExited = false;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#process = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#process.pid ?? -1;
    const release = this.pid > 0 ? watchOver({ kind: 'group', pid: this.pid }) : () => undefined;
    this.#read(this.#process.stdout, options.onLine);
    this.#read(this.#process.stderr, options.onLine);
    this.exited = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#hasExited = true;
        // What it started itself and left behind.
        this.signal('SIGKILL');
        release();
        resolve(how);
      };
      this.#process.once('error', (error) => end(error.message));
      this.#process.once('exit', (code, signal) => end(signal ?? `exit status ${code}`));
    });
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** The last lines it wrote, for an error message. */
  get lastLines(): string {
    return this.#lastLines.join('\n');
  }

  /** Signals its whole process group; nothing happens when that is gone. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid <= 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Gone already.
    }
  }

  /** Sends `signal`, then SIGKILL if it is still there after `graceMs`. Resolves when it has ended. */
  async stop(graceMs: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#hasExited) return;
    this.signal(signal);
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Waits until `isReady` says so; fails when the child ends first or time is up. */
  async waitUntil(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (await isReady()) return;
      if (this.#hasExited) {
        throw new Failure('child-ended', this.#explain(`ended (${await this.exited}) before it was ready`));
      }
      if (Date.now() > deadline) {
        throw new Failure('child-not-ready', this.#explain(`was not ready within ${timeoutMs / 1000} s`));
      }
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 100)), this.exited]);
    }
  }

  #read(stream: Readable | null, onLine: LineSink): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#lastLines.push(line);
      if (this.#lastLines.length > rememberedLines) this.#lastLines.shift();
      onLine(this.name, line);
    });
  }

  #explain(what: string): string {
    const lines = this.lastLines;
    return `${this.name} ${what}.${lines === '' ? '' : ` Its last lines:\n${lines}`}`;
  }
}

/** Runs a command to its end; returns its exit status (127 when there is no such command) and output. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.env === undefined ? {} : { env: options.env }),
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { status: code ?? 1, ...output };
  } catch {
    return { status: 127, ...output };
  }
}
