import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './running.js';

/** A file for each port that was given out, with the id of the process that asked. */
const claims = join(tmpdir(), `evenkeel-ports-${userInfo().uid}`);

/**
 * Whether the port is the process's from now to its end, so that no other one that looks for a free port takes it: nobody
 * may listen on it yet, or its service is down and will come back. A claim that a process left behind counts no more.
 */
export function claimPort(port: number, pid = process.pid): boolean {
  mkdirSync(claims, { recursive: true });
  const file = join(claims, String(port));
  if (write(file, pid)) return true;
  const holder = holderOf(file);
  if (holder === pid) return true;
  if (holder !== undefined && isRunning(holder)) return false;
  rmSync(file, { force: true });
  return write(file, pid);
}

function write(file: string, pid: number): boolean {
  try {
    writeFileSync(file, String(pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
