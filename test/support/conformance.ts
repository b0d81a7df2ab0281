import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const kit = join(root, 'packages', 'conformance');

interface Rule {
  id: string;
  passed: boolean;
  isAdvice: boolean;
  reason?: string;
}

interface Outcome {
  status: unknown;
  failed: Rule[];
  rules: Rule[];
  notAsked: string[];
}

/** Checks a client as from a terminal. */
export async function check(command: string, ...flags: string[]): Promise<Outcome> {
  const args = [join(kit, 'dist', 'main.js'), '--client', command, '--json', ...flags];
  const { status, stdout, stderr } = await new Promise<{ status: unknown; stdout: string; stderr: string }>(
    (resolve) =>
      execFile(process.execPath, args, { cwd: root, maxBuffer: 1e8 }, (error, stdout, stderr) =>
        resolve({ status: error?.code ?? 0, stdout, stderr }),
      ),
  );
  expect(stderr).toBe('');
  const { rules, notAsked } = JSON.parse(stdout) as { rules: Rule[]; notAsked: string[] };
  const failed = rules.filter(({ passed, isAdvice }) => !passed && !isAdvice);
  expect(status).toBe(failed.length === 0 ? 0 : 1);
  return { status, failed, rules, notAsked };
}
