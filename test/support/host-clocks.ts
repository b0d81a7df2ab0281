import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

/**
 * What every process runs first: the host's clock as its file has it, looked at twenty times a second. What the process began
 * with goes into `timeOrigin`, as it does where a clock was wrong from the start.
 */
const preload = `
  import { readFileSync } from 'node:fs';
  const { TEST_CLOCKS, EVENKEEL_NODE } = process.env;
  const name = EVENKEEL_NODE ?? /services\\/([^/]+)\\//.exec(process.argv[1] ?? '')?.[1];
  const read = () => {
    try {
      return Number(readFileSync(TEST_CLOCKS + '/' + name, 'utf8'));
    } catch {
      return 0;
    }
  };
  const now = Date.now;
  let aheadMs = read();
  Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + aheadMs });
  Date.now = () => now() + aheadMs;
  setInterval(() => { aheadMs = read(); }, 50).unref();
`;

/** Clocks of the processes that the running test starts, each of which can be set. Call it before the mesh is started. */
export class HostClocks {
  readonly #folder = mkdtempSync(join(tmpdir(), 'evenkeel-clocks-'));

  constructor() {
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(this.#folder, { recursive: true, force: true });
    });
    vi.stubEnv('TEST_CLOCKS', this.#folder);
    vi.stubEnv('NODE_OPTIONS', `--import=data:text/javascript,${encodeURIComponent(preload)}`);
  }

  /** `name`: an edge's node, `gateway` or `balancer`. */
  set(name: string, aheadMs: number): void {
    writeFileSync(join(this.#folder, name), String(aheadMs));
  }
}
