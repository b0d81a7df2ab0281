import { LogLimit } from '@evenkeel/pace';
import { fetchWithin, type Log } from '@evenkeel/runtime';
import { attributesOf, type SpanRecord } from './spans.js';

/** Spans that wait to be exported; more are left out. */
const maxWaiting = 2_048;
/** Exported in one request at most, and at once when so many wait. */
const maxBatch = 512;
const exportEveryMs = 5_000;
const requestTimeoutMs = 10_000;
/** Of an answer. What it says beyond its status is not read. */
const maxBytes = 1_048_576;
const logEveryMs = 30_000;

export interface ExporterOptions {
  /** Of the resource: `service.name` and so on. */
  readonly resource: Readonly<Record<string, string>>;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly log: Pick<Log, 'warn'>;
  /** For tests. */
  readonly fetch?: typeof fetchWithin;
}

/**
 * Exports spans by OTLP over HTTP, as JSON. One request at a time; a batch that is not taken is lost, and logged: spans are never worth
 * the memory that clients need.
 */
export class SpanExporter {
  /** Left out, or not taken. */
  lost = 0;
  readonly #options: ExporterOptions;
  readonly #failedLog = new LogLimit(logEveryMs);
  #waiting: SpanRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #exporting: Promise<void> | undefined;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  add(span: SpanRecord): void {
    if (this.#waiting.length >= maxWaiting) {
      this.lost += 1;
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= maxBatch) this.#export();
  }

  start(): void {
    this.#timer = setInterval(() => this.#export(), exportEveryMs);
  }

  /** What waits is exported first. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#exporting;
    while (this.#waiting.length > 0) await this.#send();
  }

  #export(): void {
    if (this.#exporting || this.#waiting.length === 0) return;
    this.#exporting = this.#send().finally(() => {
      this.#exporting = undefined;
      if (this.#waiting.length >= maxBatch) this.#export();
    });
  }

  async #send(): Promise<void> {
    const { url, headers, fetch = fetchWithin, log } = this.#options;
    const spans = this.#waiting.slice(0, maxBatch);
    this.#waiting = this.#waiting.slice(maxBatch);
    try {
      const init = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(this.#requestOf(spans)),
      };
      const { response } = await fetch(url, init, { timeoutMs: requestTimeoutMs, maxBytes });
      if (!response.ok) throw new Error(`answered with ${response.status}`);
    } catch (err) {
      this.lost += spans.length;
      const suppressed = this.#failedLog.pass(performance.now());
      if (suppressed !== undefined)
        log.warn({ err, lost: this.lost, suppressed }, 'spans not exported: see OTEL_EXPORTER_OTLP_ENDPOINT');
    }
  }

  #requestOf(spans: readonly SpanRecord[]): object {
    const attributes = attributesOf(this.#options.resource);
    return {
      resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'evenkeel' }, spans }] }],
    };
  }
}
