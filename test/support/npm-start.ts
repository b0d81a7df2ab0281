import { type ChildProcess, type ExecFileOptions, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type Mesh } from '@evenkeel/local';
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

export interface Launched extends Started {
  end(): Promise<void>;
}

/** Runs what `npm start` runs, with its files in a folder of its own, until the test is over. */
export function start(...args: string[]): Started {
  return startIn({}, ...args);
}

/** The same with these variables in its environment. */
export function startIn(given: Record<string, string>, ...args: string[]): Started {
  const started = launch(given, ...args);
  onTestFinished(started.end);
  return started;
}

/** The same for several tests: whoever calls it ends it. */
export function launch(given: Record<string, string>, ...args: string[]): Launched {
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
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exitCode;
    rmSync(folder, { recursive: true, force: true });
  };
  return { child, folder, runFile: join(stateDir, 'run.json'), text: () => text, exitCode, end };
}

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `evenkeel` to its end, with nobody to ask. */
export function runEvenkeel(args: readonly string[], options: ExecFileOptions = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const all = [cli, ...args];
    execFile(process.execPath, all, { timeout: 240_000, ...options }, (error, out, err) =>
      resolve({
        status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        out: String(out),
        err: String(err),
      }),
    );
  });
}

/** The same against a mesh of the test's own. */
export function evenkeelOf({ amqpUrl }: Mesh, ...args: string[]): Promise<Ran> {
  return runEvenkeel([...args, '--amqp-url', amqpUrl]);
}

export async function freePortFlags(): Promise<string[]> {
  const flags = ['--port', '--edge-port', '--console-port', '--api-port'];
  const ports = await freePorts(flags.length);
  return flags.flatMap((flag, n) => [flag, String(ports[n])]);
}
