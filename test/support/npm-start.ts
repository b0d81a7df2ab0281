import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@evenkeel/local';
import { onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const script = join(root, 'tools', 'local', 'start.mjs');
export const cli = join(root, 'packages', 'operator', 'bin', 'evenkeel.mjs');

export interface Started {
  readonly child: ChildProcess;
  /** Where `evenkeel` finds it. */
  readonly folder: string;
  readonly runFile: string;
  readonly text: () => string;
  readonly exitCode: Promise<number | null>;
}

/** Runs what `npm start` runs, with its files in a folder of its own. */
export function start(...args: string[]): Started {
  return startIn({}, ...args);
}

/** The same with these variables in its environment. */
export function startIn(given: Record<string, string>, ...args: string[]): Started {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  const stateDir = join(folder, '.evenkeel');
  const env = { ...process.env, EVENKEEL_STATE_DIR: stateDir, EVENKEEL_AMQP_URL: '', ...given };
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  mkdirSync(stateDir);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  const exitCode = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exitCode;
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, folder, runFile: join(stateDir, 'run.json'), text: () => text, exitCode };
}

export async function freePortFlags(): Promise<string[]> {
  const flags = ['--port', '--edge-port', '--console-port', '--api-port'];
  const ports = await freePorts(flags.length);
  return flags.flatMap((flag, n) => [flag, String(ports[n])]);
}
