import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a program ended; `alive` when it had to be ended. */
export interface Ended {
  readonly status: number | 'alive';
  readonly output: string;
}

/** Runs a program in a group of its own, for `limitMs` at most. */
export async function runWatched(
  command: string,
  args: readonly string[],
  { limitMs, cwd, env }: { limitMs: number; cwd: string; env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let isAlive = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const timer = setTimeout(() => {
    isAlive = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, limitMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { status: isAlive ? 'alive' : (code ?? 1), output };
  } catch (error) {
    return { status: 127, output: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
