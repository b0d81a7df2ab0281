import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Seen } from './attack.js';
import type { Order, Report } from './attacker.js';
import type { Extra } from './world.js';

const attackTimeoutMs = 60_000;

/** Gives orders to the attacker; one that does not come back is ended, and another takes its place. */
export class Attacker {
  readonly #restart: (extra: Extra) => Promise<void>;
  #process: ChildProcess | undefined;

  constructor(restart: (extra: Extra) => Promise<void>) {
    this.#restart = restart;
  }

  async attack(order: Order): Promise<Seen> {
    this.#process ??= fork(join(import.meta.dirname, 'attacker.js'));
    const attacker = this.#process;
    return new Promise((resolve) => {
      const done = (seen: Seen): void => {
        clearTimeout(timer);
        attacker.removeAllListeners();
        resolve(seen);
      };
      const failed = (why: string): void => done({ sent: 'not to its end', answered: why, isRefused: false });
      const timer = setTimeout(() => {
        this.stop();
        failed(`not done in ${attackTimeoutMs / 1000} s`);
      }, attackTimeoutMs);
      attacker.on('message', (report: Report) => {
        if (report.kind === 'seen') done(report.seen);
        else if (report.kind === 'failed') failed(report.message);
        else void this.#restart(report.extra).finally(() => attacker.send('restarted'));
      });
      attacker.on('exit', () => {
        this.#process = undefined;
        failed('the attacker has ended');
      });
      attacker.send(order);
    });
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
}
