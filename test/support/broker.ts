import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brokerUsers, urlOfUser } from '@evenkeel/local';
import type { Definitions } from '@evenkeel/mesh/rights';
import { inject } from 'vitest';
import { takeVhost } from './vhost-pool.js';

const run = promisify(execFile);

/** The tests' own broker, vhost `/`, as its administrator. Prefer {@link freshVhost}: files run side by side. */
export function brokerUrl(): string {
  return inject('amqpUrl');
}

/** A virtual host that nobody else uses. */
export interface Vhost {
  readonly vhost: string;
  /** The administrator's address: for what only a test does, such as deleting queues. */
  readonly amqpUrl: string;
  /** The address of one of the mesh's users, with its rights; of a cluster those of all its nodes. */
  urlFor(user: string): string;
}

/**
 * A vhost that nobody else uses, with the exchanges of the mesh and the rights of its users. It is not removed: the broker
 * itself is gone after the run, and removing takes longer than keeping.
 */
export async function freshVhost(): Promise<Vhost> {
  const urls = inject('amqpUrls');
  const vhost = await takeVhost(inject('vhostPool'), importDefinitions, urls.length > 1);
  const users = brokerUsers();
  const urlFor = (user: string): string =>
    urls.map((url) => urlOfUser(`${url}/${vhost}`, user, users.passwordOf(user))).join();
  return { vhost, amqpUrl: `${brokerUrl()}/${vhost}`, urlFor };
}

/** Adds to what the tests' own broker has. */
export async function importDefinitions(definitions: Definitions): Promise<void> {
  const ctl = inject('brokerCtl');
  // A file that is handed over open: a broker in a container has other files, and rabbitmqctl reads no socket.
  const file = join(tmpdir(), `evenkeel-${randomBytes(6).toString('hex')}.json`);
  writeFileSync(file, JSON.stringify(definitions), { mode: 0o600 });
  const input = openSync(file, 'r');
  rmSync(file);
  try {
    const child = spawn(ctl.command, [...ctl.args, 'import_definitions', '/dev/stdin'], {
      env: { ...process.env, ...ctl.env },
      stdio: [input, 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`rabbitmqctl import_definitions: ${said}`);
  } finally {
    closeSync(input);
  }
}

/** Runs `rabbitmqctl` on the tests' own broker; returns what it printed. Takes about half a second. */
export async function rabbitmqctl(...args: string[]): Promise<string> {
  const ctl = inject('brokerCtl');
  const env = { ...process.env, ...ctl.env };
  const { stdout } = await run(ctl.command, [...ctl.args, ...args], { env, timeout: 60_000 });
  return stdout;
}
