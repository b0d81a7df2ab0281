import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Guarded } from './guard.js';

// Its standard input is a pipe from the process it watches. The kernel closes that pipe when the
// process dies, in whatever way; what is still held then is ended and removed.

const held = new Map<string, Guarded>();

for await (const line of createInterface({ input: process.stdin })) {
  const { verb, thing } = JSON.parse(line) as { verb: 'hold' | 'release'; thing: Guarded };
  const key = JSON.stringify(thing);
  if (verb === 'hold') held.set(key, thing);
  else held.delete(key);
}

const things = [...held.values()];
for (const thing of things) if (thing.kind === 'group') killGroup(thing.pid);
for (const thing of things) {
  if (thing.kind === 'container') spawnSync(thing.engine, ['rm', '-f', thing.name], { stdio: 'ignore' });
  if (thing.kind === 'table')
    spawnSync('/usr/sbin/nft', ['delete', 'table', 'ip', thing.name], { stdio: 'ignore' });
  if (thing.kind === 'path') rmSync(thing.path, { recursive: true, force: true, maxRetries: 5 });
}

function killGroup(pid: number): void {
  // One that never started is -1, and whose group that is nobody wants to know.
  if (pid <= 1) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
