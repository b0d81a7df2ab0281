import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mesh } from '@evenkeel/local';
import { onTestFinished } from 'vitest';

const examples = join(import.meta.dirname, '..', '..', 'examples');

/** What the examples want their namespaces to have. */
export const exampleNamespaces = join(examples, 'namespaces.json');

/** A folder as `npm start` leaves it, with these addresses; the variables of whoever runs the tests are not looked at. */
export function folderOf(addresses: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, '.evenkeel'));
  writeFileSync(join(folder, '.evenkeel', 'run.json'), JSON.stringify(addresses));
  return folder;
}

/** The addresses of a mesh, as `npm start` writes them. */
export const addressesOf = (mesh: Mesh) => ({
  gateway: mesh.gatewayUrl,
  amqpUrl: mesh.amqpUrl,
  appAmqpUrl: mesh.urlFor('app-shop'),
  operatorAmqpUrl: mesh.urlFor('operator'),
});

export interface Running {
  readonly child: ChildProcess;
  /** What it has printed. */
  text(): string;
  /** The same of one of both. */
  text(stream: 'stdout' | 'stderr'): string;
  /** Its exit status. */
  readonly ended: Promise<number | null>;
}

/** Runs one of examples/ for the running test: those of JavaScript in Node, others by themselves. */
export function runExample(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  const path = join(examples, file);
  return file.endsWith('.mjs')
    ? runProgram(process.execPath, [path, ...args], cwd, env)
    : runProgram(path, args, cwd, env);
}

/** Runs a program for the running test. */
export function runProgram(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  const { PATH = '' } = process.env;
  const child = spawn(command, args, { cwd, env: { PATH, ...env } });
  onTestFinished(() => void child.kill());
  const texts = { stdout: '', stderr: '' };
  let both = '';
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      texts[stream] += chunk.toString();
      both += chunk.toString();
    });
  const ended = once(child, 'close').then(([status]) => status as number | null);
  return { child, text: (stream?: 'stdout' | 'stderr') => (stream ? texts[stream] : both), ended };
}
