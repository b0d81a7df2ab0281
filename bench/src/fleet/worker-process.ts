import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromWorker, WorkerCommand, WorkerProgress } from './messages.js';

const answerTimeoutMs = 30_000;
const stopTimeoutMs = 5_000;

/** A child process of a fleet and the questions it has not answered yet. */
export class Worker {
  progress: WorkerProgress | undefined;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;
  #end: string | undefined;

  constructor() {
    const path = fileURLToPath(new URL('./worker.js', import.meta.url));
    this.#child = fork(path, [], {
      serialization: 'advanced',
      execArgv: ['--enable-source-maps'],
      // Standard output is the tool's.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#child.on('message', (message: FromWorker) => {
      if ('progress' in message) {
        this.progress = message.progress;
        return;
      }
      this.#waiting.get(message.id)?.resolve(message.value);
      this.#waiting.delete(message.id);
    });
    const ended = (how: string): void => {
      this.#end ??= how;
      for (const { reject } of this.#waiting.values()) reject(this.#gone());
      this.#waiting.clear();
    };
    this.#child.on('error', (error) => ended(error.message));
    this.#child.on('exit', (code, signal) => ended(signal ?? `exit status ${code}`));
  }

  async ask<Value>(command: WorkerCommand): Promise<Value> {
    if (this.#end !== undefined) throw this.#gone();
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const timer = setTimeout(() => {
      this.#waiting.get(id)?.reject(new Error(`a worker did not answer within ${answerTimeoutMs / 1_000} s`));
    }, answerTimeoutMs);
    this.#child.send({ ...command, id });
    try {
      return (await answer) as Value;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async stop(): Promise<void> {
    if (this.#end !== undefined) return;
    const exit = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    // It may end before it answers.
    this.ask({ kind: 'stop' }).catch(() => undefined);
    await exit;
    clearTimeout(timer);
  }

  #gone(): Error {
    return new Error(`a worker of the fleet has ended (${this.#end})`);
  }
}
