import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** What `promtool check metrics` has against a page of metrics, line by line; nothing: it is clean. */
export async function complaintsOf(metrics: string): Promise<string[]> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  // One that is not there is in the error of the process.
  child.stdin.on('error', () => {});
  child.stdin.end(metrics);
  const [[status], out, err] = await ended.catch((cause: unknown) => {
    throw new Error('promtool is missing: apt-get install prometheus', { cause });
  });
  const lines = `${out}${err}`.split('\n').filter((line) => line !== '');
  return status === 0 || lines.length > 0 ? lines : [`promtool ended with ${String(status)}`];
}
