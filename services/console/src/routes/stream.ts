import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal, type Route } from '@evenkeel/runtime';
import type { Access } from '../access/access.js';
import type { ViewPoll } from '../mesh/view-poll.js';

/** Pages that watch at the same time. */
const maxStreams = 200;
/** A page that reads more slowly than this much is written gets the next view when it has read the last. */
const maxUnsentBytes = 1_048_576;

/** `GET /api/stream`: the first screen each second, as server-sent events. */
export class StreamRoute implements Route {
  readonly isShared = false;
  readonly #access: Access;
  readonly #poll: Pick<ViewPoll, 'watch'>;
  readonly #open = new Set<ServerResponse>();

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
    const me = JSON.stringify(this.#access.who(request, address));
    if (this.#open.size >= maxStreams)
      throw new Refusal(503, 'too-many-watchers', `${maxStreams} pages watch already; close one`, {
        'retry-after': '10',
      });
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would collect it.
      'x-accel-buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    this.#open.add(response);
    const unwatch = this.#poll.watch((view) => {
      // A login that has ended ends here too.
      if (this.#access.find(request, address) === undefined) response.end();
      else if (response.writableLength < maxUnsentBytes)
        response.write(`data: {"me":${me},${view.slice(1)}\n\n`);
    });
    response.once('close', () => {
      unwatch();
      this.#open.delete(response);
    });
  }

  /** Ends all of them; pages come back by themselves. */
  stop(): void {
    for (const response of this.#open) response.end();
  }
}
