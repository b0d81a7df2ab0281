import { readFileSync } from 'node:fs';

export interface TestCount {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts what vitest's JSON report tells. A file that failed without a failed test (it did not load, its
 * set-up failed) counts as one failure, and so does a run that failed in no test at all.
 */
export function countTests(resultsFile: string, exitStatus: number): TestCount {
  let results: Results;
  try {
    results = JSON.parse(readFileSync(resultsFile, 'utf8')) as Results;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const brokenFiles = results.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = results.numFailedTests + brokenFiles.length;
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && exitStatus !== 0 ? 1 : failed,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}
