import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { python } from '../support/json-lines.js';

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
async function check(command: string, ...flags: string[]): Promise<Outcome> {
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

// They wait for most of their time.
describe.concurrent('the conformance kit', { timeout: 120_000 }, () => {
  it('finds nothing wrong with the SDK, asked everything', async () => {
    const { failed, notAsked, rules } = await check('node packages/conformance/drivers/sdk.mjs');
    expect({ failed, notAsked }).toEqual({ failed: [], notAsked: [] });
    expect(rules.length).toBeGreaterThan(100);
  });

  it('finds nothing wrong with the client in Python, asked everything', async () => {
    const { failed, notAsked, rules } = await check(`${python} examples/python-client/conformance_driver.py`);
    expect({ failed, notAsked }).toEqual({ failed: [], notAsked: [] });
    expect(rules.length).toBeGreaterThan(100);
  });

  it('finds nothing wrong with the Python package, asked everything', async () => {
    const { failed, notAsked, rules } = await check(`${python} packages/conformance/drivers/python.py`);
    expect({ failed, notAsked }).toEqual({ failed: [], notAsked: [] });
    expect(rules.length).toBeGreaterThan(100);
  });

  it.each([
    ['acks-what-has-come', 'ack-after-handling', 'acknowledged an event while its handler was still at work'],
    ['drops-equal-events', 'repeat-not-by-content', 'dropped because its content had come before'],
    [
      'leaves-before-it-arrives',
      'move-new-socket-first',
      'closed its old socket before the new one had a welcome',
    ],
    ['retries-for-ever', 'close-4501', 'came back after a close with 4501'],
    ['retries-for-ever', 'gateway-back-off', 'retries without a back-off'],
    ['keeps-gaps-to-itself', 'gap-before-next', 'did not tell its application of a gap'],
    ['shows-the-old-pass', 'token-new-pass', 'has the earlier pass'],
    ['resends-with-new-ids', 'call-resend-publish', 'sent its publish again under another id'],
  ])('refuses a client that %s, by the rule %s', async (name, rule, reason) => {
    const { failed } = await check(`node packages/conformance/bad-clients/${name}.mjs`, '--only', rule);
    expect(failed.find(({ id }) => id === rule)?.reason).toContain(reason);
  });
});
