import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWorker, Progress, ToWorker, WorkerReport, WorkerStart } from './messages.js';

const path = fileURLToPath(new URL('./worker.js', import.meta.url));

/** The client processes, as one. */
export class Workers {
  readonly #children: ChildProcess[];
  readonly #progress = new Map<ChildProcess, Progress>();
  readonly #ready: Promise<void>[];

  constructor(starts: WorkerStart[]) {
    this.#children = starts.map((start) =>
      fork(path, [JSON.stringify(start)], { stdio: ['ignore', 2, 2, 'ipc'], serialization: 'advanced' }),
    );
    this.#ready = this.#children.map(
      (child) =>
        new Promise((resolve, reject) => {
          child.on('message', (message: FromWorker) => {
            if (message.say === 'ready') resolve();
            else if (message.say === 'progress') this.#progress.set(child, message);
          });
          child.on('exit', (code) => reject(new Error(`a client process ended with ${code}`)));
        }),
    );
  }

  async ready(): Promise<void> {
    await Promise.all(this.#ready);
  }

  get progress(): Omit<Progress, 'say'> {
    const sum = { connected: 0, delivered: 0, moves: 0, movesUnderWay: 0 };
    for (const progress of this.#progress.values()) {
      sum.connected += progress.connected;
      sum.delivered += progress.delivered;
      sum.moves += progress.moves;
      sum.movesUnderWay += progress.movesUnderWay;
    }
    return sum;
  }

  tell(message: ToWorker): void {
    for (const child of this.#children) if (child.connected) child.send(message);
  }

  move(perSecond: number, from?: string, to?: string): void {
    this.tell({ do: 'move', perSecond: perSecond / this.#children.length, from, to });
  }

  async report(published: Uint32Array): Promise<WorkerReport[]> {
    return await Promise.all(
      this.#children.map(
        (child) =>
          new Promise<WorkerReport>((resolve) => {
            child.on('message', (message: FromWorker) => {
              if (message.say === 'report') resolve(message);
            });
            child.send({ do: 'report', published: [...published] } satisfies ToWorker);
          }),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.on('exit', () => resolve());
            this.tell({ do: 'stop' });
            setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
          }),
      ),
    );
  }
}
