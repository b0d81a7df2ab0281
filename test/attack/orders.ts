import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Seen } from './attack.js';
import type { Given, Order, Report } from './attacker.js';
import type { Help } from './world.js';

const attackTimeoutMs = 60_000;
/** Node.js at idle priority, all its threads: a process that lowers its own priority does so for one of them. */
const idle = { execPath: 'chrt', execArgv: ['--idle', '0', process.execPath] };

/** Gives orders to the attacker; one that does not come back is ended, and another takes its place. */
export class Attacker {
  readonly #help: Help;
  readonly #priority: 'idle' | 'normal';
  #process: Promise<ChildProcess> | undefined;

  /** At idle priority it takes only what others leave; on a machine that is busy anyway that is next to nothing. */
  constructor(help: Help, priority: 'idle' | 'normal') {
    this.#help = help;
    this.#priority = priority;
  }

  /** So that none of an attack's time is its own start. */
  async start(): Promise<ChildProcess> {
    this.#process ??= started(this.#priority === 'idle' ? idle : {});
    return await this.#process;
  }

  async attack(order: Order): Promise<Seen> {
    const attacker = await this.start();
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
        else if (report.kind !== 'ready') void this.#helped(report).then((given) => attacker.send(given));
      });
      attacker.on('exit', () => {
        this.#process = undefined;
        failed('the attacker has ended');
      });
      attacker.send(order);
    });
  }

  async #helped(report: Extract<Report, { kind: 'restart' | 'issuer' }>): Promise<Given> {
    if (report.kind === 'issuer') return this.#help.tellIssuer(report.mode);
    // One that does not start again is seen by the row that asked for it.
    await this.#help.restart(report.extra).catch(() => undefined);
    return { asked: 0 };
  }

  stop(): void {
    void this.#process?.then((attacker) => attacker.kill('SIGKILL'));
    this.#process = undefined;
  }
}

/** @throws Error where it ends before it says that it is ready. */
async function started(how: ForkOptions): Promise<ChildProcess> {
  const attacker = fork(join(import.meta.dirname, 'attacker.js'), how);
  const end = new AbortController();
  await Promise.race([
    once(attacker, 'message', end),
    once(attacker, 'exit', end).then(([code]) => {
      throw new Error(`the attacker does not start (exit status ${code}); it needs chrt, of util-linux`);
    }),
  ]).finally(() => end.abort());
  return attacker;
}
