import type { RawFrame } from '@evenkeel/testkit';
import { vi } from 'vitest';

const patience = { timeout: 10_000, interval: 10 };

/** Where an edge's streams are, by the URL that gateways give. */
export const sseUrl = (edgeUrl: string): string => edgeUrl.replace(/^ws/, 'http').replace(/\/ws$/, '/sse');

/** A client by server-sent events, with `fetch` and nothing of the SDK: it reads, and does nothing by itself but acknowledge. */
export class SseClient {
  readonly frames: RawFrame[] = [];
  /** Lines that are for nobody. */
  comments = 0;
  /** What the edge has called this connection. */
  connection = '';
  readonly response: Response;
  closed: { code: number; reason: string } | undefined;
  /** The stream has ended, with or without a word. */
  isOver = false;
  acks = true;
  readonly #url: string;
  readonly #abort: AbortController;
  #posts = 0;
  #toAck = 0;
  #acked = 0;
  #posting: Promise<unknown> = Promise.resolve();
  #isFrozen = false;
  #thaw: () => void = () => {};

  private constructor(url: string, response: Response, abort: AbortController) {
    this.#url = url;
    this.response = response;
    this.#abort = abort;
    void this.#read().catch(() => {
      this.isOver = true;
    });
  }

  /** Opens a stream at an edge's URL and waits until it may post; or with whatever else the edge has answered. */
  static async open(
    edgeUrl: string,
    ticket: string,
    headers: Record<string, string> = {},
  ): Promise<SseClient> {
    const abort = new AbortController();
    const url = sseUrl(edgeUrl);
    const response = await fetch(`${url}?ticket=${encodeURIComponent(ticket)}`, {
      signal: abort.signal,
      headers,
    });
    const client = new SseClient(url, response, abort);
    if (response.status === 200)
      await vi.waitUntil(() => client.connection !== '' || client.isOver, patience);
    return client;
  }

  get kinds(): string[] {
    return this.frames.map(({ t }) => t);
  }

  get events(): RawFrame[] {
    return this.frames.filter(({ t }) => t === 'event');
  }

  get data(): unknown[] {
    return this.events.map(({ data }) => data);
  }

  async frame(t: string, is: (frame: RawFrame) => boolean = () => true): Promise<RawFrame> {
    const look = () => this.frames.find((frame) => frame.t === t && is(frame));
    return await vi.waitUntil(look, patience);
  }

  async eventCount(count: number): Promise<void> {
    await vi.waitUntil(() => this.events.length >= count, patience);
  }

  async over(): Promise<{ code: number; reason: string } | undefined> {
    await vi.waitUntil(() => this.isOver, patience);
    return this.closed;
  }

  /** Posts frames, one after another as they are given here; resolves with the status. */
  async send(...frames: object[]): Promise<number> {
    const body = frames.map((frame) => JSON.stringify(frame)).join('\n');
    this.#posts += 1;
    const n = this.#posts;
    const posted = this.#posting.then(() => this.post(body, `?n=${n}`));
    this.#posting = posted.catch(() => {});
    return (await posted).status;
  }

  /** One post for all that has come meanwhile. */
  async #acknowledge(seq: number): Promise<void> {
    const isPosting = this.#toAck > 0;
    this.#toAck = seq;
    if (isPosting) return;
    while (this.#acked < this.#toAck && !this.isOver) {
      this.#acked = this.#toAck;
      await this.send({ t: 'ack', seq: this.#acked }).catch(() => {});
    }
    this.#toAck = 0;
  }

  post(body: string, query = '', connection = this.connection): Promise<Response> {
    return fetch(`${this.#url}/${connection}${query}`, { method: 'POST', body });
  }

  /** Reads nothing more, so that the edge sees a client that takes no bytes. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#thaw();
  }

  /** Gone without a word. */
  terminate(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of this.response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end));
        text = text.slice(end + 2);
      }
      if (this.#isFrozen)
        await new Promise<void>((resolve) => {
          this.#thaw = resolve;
        });
    }
    this.isOver = true;
  }

  #take(block: string): void {
    const lines = block.split('\n').filter((line) => line !== '');
    if (lines.some((line) => line.startsWith(':'))) this.comments += 1;
    const name = lines.find((line) => line.startsWith('event: '))?.slice(7);
    const data = lines
      .filter((line) => line.startsWith('data: '))
      .map((line) => line.slice(6))
      .join('\n');
    if (data === '') return;
    const value = JSON.parse(data) as RawFrame & { connection: string; code: number; reason: string };
    if (name === 'connection') this.connection = value.connection;
    else if (name === 'close') this.closed = value as unknown as { code: number; reason: string };
    else {
      this.frames.push(value);
      if (this.acks && value.t === 'event') void this.#acknowledge(value.seq ?? 0);
    }
  }
}
