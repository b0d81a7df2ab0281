import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { python } from './json-lines.js';

const root = join(import.meta.dirname, '..', '..');

/** A fresh virtual environment with packages/python in it, installed as its README says, and nothing from the network. */
export class PythonPackage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'evenkeel-python-'));
  readonly python = join(this.#folder, 'v', 'bin', 'python');

  /** @throws Error with what pip said */
  install(): void {
    const venv = join(this.#folder, 'v');
    // From a copy: pip builds in the folder.
    this.#run('cp', ['-r', join(root, 'packages', 'python'), join(this.#folder, 'package')]);
    this.#run(python, ['-m', 'venv', '--system-site-packages', venv]);
    const flags = ['install', '--no-index', '--no-build-isolation', '--quiet'];
    this.#run(join(venv, 'bin', 'pip'), [...flags, join(this.#folder, 'package')]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(command: string, args: readonly string[]): void {
    const { status, stderr, error } = spawnSync(command, args, { cwd: this.#folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr ?? error?.message}`);
  }
}
