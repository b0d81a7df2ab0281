import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const run = promisify(execFile);

/** The tests' own broker, vhost `/`. Prefer {@link freshVhost}: files run side by side. */
export function brokerUrl(): string {
  return inject('amqpUrl');
}

/**
 * A vhost that nobody else uses; call it once a test file. It is not removed: the broker itself is gone
 * after the run, and removing takes longer than keeping.
 */
export async function freshVhost(): Promise<{ amqpUrl: string; vhost: string }> {
  const vhost = `test-${randomBytes(4).toString('hex')}`;
  await rabbitmqctl('add_vhost', vhost);
  await rabbitmqctl('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*');
  return { amqpUrl: `${brokerUrl()}/${vhost}`, vhost };
}

/** Runs `rabbitmqctl` on the tests' own broker; returns what it printed. Takes about half a second. */
export async function rabbitmqctl(...args: string[]): Promise<string> {
  const ctl = inject('brokerCtl');
  const env = { ...process.env, ...ctl.env };
  const { stdout } = await run(ctl.command, [...ctl.args, ...args], { env, timeout: 60_000 });
  return stdout;
}
