export interface FetchLimits {
  /** Until the last byte of the answer. */
  readonly timeoutMs: number;
  /** Of the answer. */
  readonly maxBytes: number;
}

/**
 * `fetch` that ends. `body` is undefined when it is longer than it may be.
 * @throws Error `TimeoutError` after `timeoutMs`; whatever `fetch` does
 */
export async function fetchWithin(
  url: string | URL,
  init: Omit<RequestInit, 'signal'>,
  { timeoutMs, maxBytes }: FetchLimits,
): Promise<{ response: Response; body: Buffer | undefined }> {
  const ending = new AbortController();
  let stop = (): void => ending.abort();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, timeoutMs);
  try {
    const response = await fetch(url, { ...init, signal: ending.signal });
    const reader = response.body?.getReader();
    // Once the headers are there, Node's `fetch` may lose its signal to the collector of garbage, and wait without an end.
    stop = () => void reader?.cancel().catch(() => {});
    const body = reader === undefined ? Buffer.alloc(0) : await read(reader, maxBytes);
    if (!isLate) return { response, body };
  } catch (error) {
    if (!isLate) throw error;
  } finally {
    clearTimeout(timer);
  }
  throw Object.assign(new Error(`no whole answer within ${timeoutMs / 1_000} s`), { name: 'TimeoutError' });
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    bytes += value.length;
    if (bytes > maxBytes) {
      void reader.cancel().catch(() => {});
      return undefined;
    }
    parts.push(value);
  }
}
