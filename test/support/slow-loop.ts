import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the processes run first: after each tenth of a second the event loop stands still for as long as their file says. */
const preload = `
  import { readFileSync } from 'node:fs';
  const { TEST_LOOPS, EVENKEEL_NODE } = process.env;
  const name = EVENKEEL_NODE ?? /services\\/([^/]+)\\//.exec(process.argv[1] ?? '')?.[1];
  const wait = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    let ms = 0;
    try {
      ms = Number(readFileSync(TEST_LOOPS + '/' + name, 'utf8'));
    } catch {}
    if (ms > 0) Atomics.wait(wait, 0, 0, ms);
  }, 100).unref();
`;

/** Event loops that can be made slow, of the processes that are started with its `env`. */
export class SlowLoops {
  readonly #folder = mkdtempSync(join(tmpdir(), 'evenkeel-loops-'));

  /** For the processes: in `process.env`, since they inherit it. */
  get env(): Record<string, string> {
    return {
      TEST_LOOPS: this.#folder,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    };
  }

  /** `name`: an edge's node, `gateway` or `balancer`. 0: as fast as ever. */
  set(name: string, ms: number): void {
    writeFileSync(join(this.#folder, name), String(ms));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
