import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import type { Line } from '../log.js';

/** A line as it is recorded: its time is added. */
type Untimed = Line extends infer Each ? (Each extends Line ? Omit<Each, 'at'> : never) : never;

/** ms of the clock that all processes of a machine share, in Python `time.monotonic() * 1000`. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Writes the log of a run. */
export class Recorder {
  readonly path: string;
  readonly lines: Line[] = [];
  readonly #file: WriteStream;
  readonly #beginMs = nowMs();

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.#file = createWriteStream(path);
  }

  add(line: Untimed): void {
    this.addAt(nowMs(), line);
  }

  /** For what another process saw, at its own time. */
  addAt(atMs: number, line: Untimed): void {
    const at = Math.round((atMs - this.#beginMs) * 1000) / 1000;
    const { kind, ...fields } = line;
    const timed = { at, kind, ...fields } as Line;
    this.lines.push(timed);
    this.#file.write(`${JSON.stringify(timed)}\n`);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(() => resolve()));
  }
}
