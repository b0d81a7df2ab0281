/** Since when reports come, and whether every node must have spoken by now. */
export class Warmth {
  readonly #warmUpMs: number;
  #firstReportMs: number | undefined;

  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs;
  }

  /** The first report has come, or the first one after a silence of all: then each node is waited for anew. */
  heard(nowMs: number, isAfterSilence: boolean): void {
    if (isAfterSilence) this.#firstReportMs = nowMs;
    else this.#firstReportMs ??= nowMs;
  }

  isWarm(nowMs: number): boolean {
    return this.#firstReportMs !== undefined && nowMs - this.#firstReportMs >= this.#warmUpMs;
  }
}
