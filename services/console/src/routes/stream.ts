import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createGzip } from 'node:zlib';
import { Refusal, type Route } from '@evenkeel/runtime';
import type { Access } from '../access/access.js';
import type { ViewPoll } from '../mesh/view-poll.js';

/** Pages that watch at the same time, and those of one name. */
const maxStreams = 200;
const maxStreamsOfOne = 50;
/** A page that reads more slowly than this much is written gets the next view when it has read the last. */
const maxUnsentBytes = 1_048_576;

/** `GET /api/stream`: the first screen each second, as server-sent events. */
export class StreamRoute implements Route {
  readonly isShared = false;
  readonly #access: Access;
  readonly #poll: Pick<ViewPoll, 'watch'>;
  readonly #open = new Map<ServerResponse, { readonly name: string; readonly end: () => void }>();

  constructor(access: Access, poll: Pick<ViewPoll, 'watch'>) {
    this.#access = access;
    this.#poll = poll;
  }

  has(path: string): boolean {
    return path === '/api/stream';
  }

  methods(): readonly string[] {
    return ['GET'];
  }

  /** @throws Refusal */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    _url: URL,
    address: string,
  ): Promise<void> {
    this.#access.way(request);
    const who = this.#access.who(request, address);
    this.#requireRoom(who.name);
    const isCompressed = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would collect it.
      'x-accel-buffering': 'no',
      ...(isCompressed && { 'content-encoding': 'gzip' }),
    });
    const writing = isCompressed ? compressing(response) : plain(response);
    writing.write('retry: 1000\n\n');
    const me = JSON.stringify(who);
    let unwatch = () => {};
    const end = () => {
      unwatch();
      writing.end();
    };
    unwatch = this.#poll.watch((view) => {
      // A login that has ended ends here too.
      if (this.#access.find(request, address) === undefined) end();
      else if (writing.waitingBytes() < maxUnsentBytes)
        writing.write(`data: {"me":${me},${view.slice(1)}\n\n`);
    });
    this.#open.set(response, { name: who.name, end });
    response.once('close', () => {
      unwatch();
      this.#open.delete(response);
    });
  }

  /** Ends all of them; pages come back by themselves. */
  stop(): void {
    for (const { end } of this.#open.values()) end();
  }

  /** @throws Refusal */
  #requireRoom(name: string): void {
    const ofOne = [...this.#open.values()].filter((each) => each.name === name).length;
    if (this.#open.size < maxStreams && ofOne < maxStreamsOfOne) return;
    const message = `${this.#open.size} pages watch already, ${ofOne} of them of ${name}; close one`;
    throw new Refusal(503, 'too-many-watchers', message, { 'retry-after': '10' });
  }
}

interface Writing {
  readonly write: (text: string) => void;
  readonly end: () => void;
  readonly waitingBytes: () => number;
}

const plain = (response: ServerResponse): Writing => ({
  write: (text) => void response.write(text),
  end: () => void response.end(),
  waitingBytes: () => response.writableLength,
});

/** A view of a thousand nodes is half a megabyte each second; compressed a tenth of it. Each message is written out at once. */
function compressing(response: ServerResponse): Writing {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  gzip.on('data', (chunk: Buffer) => void response.write(chunk));
  gzip.on('error', () => response.destroy());
  gzip.on('end', () => void response.end());
  response.once('close', () => gzip.destroy());
  return {
    write: (text) => {
      gzip.write(text);
      gzip.flush();
    },
    end: () => void gzip.end(),
    waitingBytes: () => gzip.writableLength + response.writableLength,
  };
}
