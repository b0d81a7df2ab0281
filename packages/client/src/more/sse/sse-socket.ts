import { readFrame } from '../../transport/frame.js';
import type { WebSocketLike } from '../../transport/web-socket.js';
import { Poster } from './poster.js';
import { StreamReader } from './read-stream.js';

/** Where the streams of an edge are that is dialled at `url`, its query included. */
export function streamUrl(url: string): URL {
  const address = new URL(url);
  address.protocol = address.protocol === 'wss:' ? 'https:' : 'http:';
  address.pathname = `${address.pathname.replace(/\/(?:ws)?$/, '')}/sse`;
  return address;
}

/** How long what was sent has to be posted before a socket closes, ms. */
const closeMs = 2_000;
const ping = '{"t":"ping"}';

/** A socket to an edge by server-sent events and posts, which is used like a WebSocket. */
export class SseSocket implements WebSocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message?: unknown }) => void) | null = null;
  readyState = 0;
  readonly #fetch: typeof fetch;
  readonly #url: URL;
  readonly #abort = new AbortController();
  #poster: Poster | undefined;
  #isWelcomed = false;
  /** Posts at the last comment of the edge. */
  #postsBefore = 0;

  /** `url`: as a WebSocket is given it, with the ticket. */
  constructor(url: string, ask: typeof fetch = fetch) {
    this.#fetch = (...request) => ask(...request);
    this.#url = streamUrl(url);
    void this.#run().then(
      ({ code, reason }) => this.#end(code, reason),
      (error: unknown) => this.#end(1006, String(error)),
    );
  }

  send(text: string): void {
    if (this.readyState === 1) this.#poster?.send(text);
  }

  /** What was sent is posted first. */
  close(code = 1000): void {
    if (this.readyState > 1) return;
    this.readyState = 2;
    const late = new Promise((resolve) => setTimeout(resolve, closeMs));
    void Promise.race([this.#poster?.flushed(), late]).then(() => this.#end(code, ''));
  }

  /** Without a word, and without an end that is told. */
  terminate(): void {
    this.onclose = null;
    this.#end(1006, '');
  }

  /** Until the stream ends. */
  async #run(): Promise<{ code: number; reason: string }> {
    const { signal } = this.#abort;
    const response = await this.#fetch(this.#url, { signal, cache: 'no-store' });
    if (!response.ok || !response.body)
      return { code: 1006, reason: `Unexpected server response: ${response.status}` };
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const stream = new StreamReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { code: 1006, reason: 'the stream has ended' };
      for (const each of stream.take(decoder.decode(value, { stream: true }))) {
        if (each === 'comment') this.#beat();
        else if (each.event === 'close') return JSON.parse(each.data) as { code: number; reason: string };
        else if (each.event === 'connection') this.#opened(JSON.parse(each.data) as { connection: string });
        else if (each.event === '' && !signal.aborted) this.#received(each.data);
      }
    }
  }

  #opened({ connection }: { connection: string }): void {
    const url = `${this.#url.origin}${this.#url.pathname}/${connection}`;
    const { signal } = this.#abort;
    this.#poster = new Poster({
      url,
      fetch: this.#fetch,
      signal,
      onOver: (reason) => this.#end(1006, reason),
    });
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.onopen?.();
  }

  #received(data: string): void {
    const frame = this.#isWelcomed ? undefined : readFrame(data);
    if (frame?.t === 'welcome') {
      this.#isWelcomed = true;
      if (this.#poster && frame.limits) this.#poster.maxBytes = frame.limits.maxFrameBytes;
    }
    this.onmessage?.({ data });
  }

  /** An edge counts a client as lost that posts nothing. By its comments, since timers of hidden pages hardly run. */
  #beat(): void {
    const count = this.#poster?.count ?? 0;
    if (count === this.#postsBefore) this.send(ping);
    this.#postsBefore = count;
  }

  #end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#abort.abort();
    this.onclose?.({ code, reason });
  }
}
