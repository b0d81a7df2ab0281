import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countTests } from './test-count.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evenkeel-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function results(passed: number, failed: number, files: { status: string; tests: string[] }[]): string {
  const file = join(dir, 'results.json');
  const testResults = files.map(({ status, tests }) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  }));
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 0, numTodoTests: 0 };
  writeFileSync(file, JSON.stringify({ ...counts, testResults }));
  return file;
}

describe('the count of tests', () => {
  it('counts a file that failed without a failed test as one failure', () => {
    const file = results(1, 1, [
      { status: 'failed', tests: ['passed', 'failed'] },
      { status: 'failed', tests: [] },
    ]);
    expect(countTests(file, 1)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });

  it('counts a failure where the run failed in no test', () => {
    expect(countTests(results(3, 0, []), 1).failed).toBe(1);
    expect(countTests(results(3, 0, []), 0).failed).toBe(0);
  });

  it('counts a failure where there is no report', () => {
    expect(countTests(join(dir, 'none.json'), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
