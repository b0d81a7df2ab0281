import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Seen } from './attack.js';
import type { Given, Order, Report } from './attacker.js';
import type { Help } from './world.js';

const attackTimeoutMs = 60_000;

/** Gives orders to the attacker; one that does not come back is ended, and another takes its place. */
export class Attacker {
  readonly #help: Help;
  #process: ChildProcess | undefined;

  constructor(help: Help) {
    this.#help = help;
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
        else void this.#helped(report).then((given) => attacker.send(given));
      });
      attacker.on('exit', () => {
        this.#process = undefined;
        failed('the attacker has ended');
      });
      attacker.send(order);
    });
  }

  async #helped(report: Exclude<Report, { kind: 'seen' | 'failed' }>): Promise<Given> {
    if (report.kind === 'issuer') return this.#help.tellIssuer(report.mode);
    // One that does not start again is seen by the row that asked for it.
    await this.#help.restart(report.extra).catch(() => undefined);
    return { asked: 0 };
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
}
