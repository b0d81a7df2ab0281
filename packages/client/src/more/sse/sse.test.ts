import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocketClass } from '../../transport/web-socket.js';
import { fallingBack, TransportChoice } from './fallback.js';
import { Poster } from './poster.js';
import { StreamReader } from './read-stream.js';
import { SseSocket, streamUrl } from './sse-socket.js';

describe('a stream', () => {
  const text =
    ':\n\nevent: connection\r\ndata: {"a":1}\r\n\r\ndata: x\rdata:  y\n\ndata\n\nevent: close\ndata: z\n\n';
  const events = [
    'comment',
    { event: 'connection', data: '{"a":1}' },
    { event: '', data: 'x\n y' },
    { event: '', data: '' },
    { event: 'close', data: 'z' },
  ];

  it('is read event by event, however it is cut', () => {
    for (let size = 1; size <= text.length; size += 1) {
      const reader = new StreamReader();
      const got = [];
      for (let at = 0; at < text.length; at += size) got.push(...reader.take(text.slice(at, at + size)));
      expect(got, `pieces of ${size}`).toEqual(events);
    }
  });

  it.each([
    ['ws://h:1/ws?ticket=a', 'http://h:1/sse?ticket=a'],
    ['wss://h/e/edge-1/ws?ticket=a', 'https://h/e/edge-1/sse?ticket=a'],
    ['wss://h?ticket=a', 'https://h/sse?ticket=a'],
    ['wss://h/live/?ticket=a', 'https://h/live/sse?ticket=a'],
  ])('of %s is at %s', (url, stream) => {
    expect(String(streamUrl(url))).toBe(stream);
  });
});

describe('posts', () => {
  it('are one at a time, in order, with what has gathered, and sent again until they are answered', async () => {
    const posts: [string, string][] = [];
    const answers = [204, 503, 'lost', 204];
    const poster = new Poster({
      url: 'http://edge/sse/c',
      signal: new AbortController().signal,
      waitMs: 1,
      onOver: () => expect.unreachable(),
      fetch: async (url, init) => {
        posts.push([String(url), String(init?.body)]);
        const status = answers.shift();
        if (typeof status !== 'number') throw new TypeError('network');
        return new Response(null, { status });
      },
    });
    for (const frame of ['a', 'b']) poster.send(frame);
    await poster.flushed();
    for (const frame of ['c', 'd']) poster.send(frame);
    await poster.flushed();
    const again = ['http://edge/sse/c?n=2', 'c\nd'];
    expect(posts).toEqual([['http://edge/sse/c?n=1', 'a\nb'], again, again, again]);
  });

  it('have no more bytes than a frame may have; one that is longer goes alone', async () => {
    const posts: string[] = [];
    const poster = new Poster({
      url: 'http://edge/sse/c',
      signal: new AbortController().signal,
      onOver: () => expect.unreachable(),
      fetch: async (_url, init) => {
        posts.push(String(init?.body));
        return new Response(null, { status: 204 });
      },
    });
    const frames = [90_000, 10_000, 10_000, 10_000].map((length) => '語'.repeat(length));
    for (const frame of frames) poster.send(frame);
    await poster.flushed();
    expect(posts.map((body) => body.split('\n').length)).toEqual([1, 2, 1]);
    expect(posts.join('\n')).toBe(frames.join('\n'));
    posts.length = 0;
    poster.maxBytes = 5;
    for (const frame of ['a', 'é', 'b', 'c', 'd']) poster.send(frame);
    await poster.flushed();
    expect(posts).toEqual(['a\né', 'b\nc', 'd']);
  });

  it('are over when the edge does not know the connection', async () => {
    const onOver = vi.fn();
    const poster = new Poster({
      url: 'http://edge/sse/c',
      signal: new AbortController().signal,
      onOver,
      fetch: async () => new Response(null, { status: 404 }),
    });
    poster.send('a');
    await poster.flushed();
    expect(onOver).toHaveBeenCalledExactlyOnceWith('a post was answered 404');
  });
});

/** An edge that is only an answer: the stream is what the test writes. */
function answering(status = 200) {
  const posts: string[] = [];
  let write: (text: string) => void = () => {};
  const ask = (async (_url: URL | string, init?: RequestInit) => {
    if (init?.method === 'POST') {
      posts.push(String(init.body));
      return new Response(null, { status: 204 });
    }
    if (status !== 200) return new Response(null, { status });
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        write = (text) => controller.enqueue(new TextEncoder().encode(text));
        init?.signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
      },
    });
    return new Response(body, { status });
  }) as typeof fetch;
  return { ask, posts, write: (text: string) => write(text) };
}

const began = 'event: connection\ndata: {"connection":"e.x"}\n\n';
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a socket by server-sent events', () => {
  it('opens when it may post, hands on frames, and closes with what the edge says', async () => {
    const edge = answering();
    const socket = new SseSocket('ws://h/ws?ticket=t', edge.ask);
    const seen: unknown[] = [];
    socket.onopen = () => void seen.push('open');
    socket.onmessage = ({ data }) => void seen.push(data);
    socket.onclose = (event) => void seen.push(event);
    await nextTurn();
    edge.write(`\n${began}`);
    await vi.waitUntil(() => socket.readyState === 1);
    socket.send('hello');
    edge.write('data: {"t":"welcome"}\n\nevent: close\ndata: {"code":4001,"reason":"moved"}\n\n');
    await vi.waitUntil(() => socket.readyState === 3);
    expect(seen).toEqual(['open', '{"t":"welcome"}', { code: 4001, reason: 'moved' }]);
    expect(edge.posts).toEqual(['hello']);
  });

  it('posts no more at once than the edge takes', async () => {
    const edge = answering();
    const socket = new SseSocket('ws://h/ws?ticket=t', edge.ask);
    await nextTurn();
    edge.write(began);
    const welcome = { t: 'welcome', session: 's', node: 'n', heartbeatMs: 1, window: 1 };
    socket.onmessage = () => {
      for (const frame of ['aaa', 'bbb', 'ccc']) socket.send(frame);
    };
    edge.write(`data: ${JSON.stringify({ ...welcome, limits: { maxFrameBytes: 8 } })}\n\n`);
    await vi.waitUntil(() => edge.posts.length === 2);
    expect(edge.posts).toEqual(['aaa\nbbb', 'ccc']);
    socket.terminate();
  });

  it('says something by itself when the edge beats and it has said nothing since', async () => {
    const edge = answering();
    const socket = new SseSocket('ws://h/ws?ticket=t', edge.ask);
    await nextTurn();
    edge.write(began);
    await vi.waitUntil(() => socket.readyState === 1);
    edge.write(':\n\n');
    await vi.waitUntil(() => edge.posts.length === 1);
    edge.write(':\n\n');
    await vi.waitUntil(() => edge.posts.length === 1);
    edge.write(':\n\n');
    await vi.waitUntil(() => edge.posts.length === 2);
    expect(edge.posts).toEqual(['{"t":"ping"}', '{"t":"ping"}']);
    socket.terminate();
  });

  it('has everything posted before it closes', async () => {
    const edge = answering();
    const socket = new SseSocket('ws://h/ws?ticket=t', edge.ask);
    await nextTurn();
    edge.write(began);
    await vi.waitUntil(() => socket.readyState === 1);
    socket.send('last');
    const closed = new Promise((resolve) => {
      socket.onclose = resolve;
    });
    socket.close(1000);
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(edge.posts).toEqual(['last']);
  });

  it('that is refused closes without having opened', async () => {
    const socket = new SseSocket('ws://h/ws?ticket=t', answering(401).ask);
    const closed = await new Promise((resolve) => {
      socket.onclose = resolve;
    });
    expect(closed).toEqual({ code: 1006, reason: 'Unexpected server response: 401' });
  });
});

describe('the choice of a transport', () => {
  it('goes on to the next when the first has failed twice, stays there, and tries the first again later', () => {
    const choice = new TransportChoice(['websocket', 'sse']);
    expect(choice.next(0)).toEqual(['websocket']);
    choice.failed('websocket');
    expect(choice.next(0)).toEqual(['websocket', 'sse']);
    choice.failed('websocket');
    choice.opened('sse', 0);
    expect(choice.next(599_999)).toEqual(['sse']);
    expect(choice.next(600_000)).toEqual(['websocket', 'sse']);
    choice.opened('websocket', 600_000);
    expect(choice.next(600_000)).toEqual(['websocket']);
  });

  it('is none where neither works: the first comes first again', () => {
    const choice = new TransportChoice(['websocket', 'sse']);
    for (const transport of ['websocket', 'websocket', 'sse'] as const) choice.failed(transport);
    expect(choice.next(0)).toEqual(['websocket', 'sse']);
    const only = new TransportChoice(['sse']);
    only.failed('sse');
    expect(only.next(0)).toEqual(['sse']);
  });
});

describe('a socket that falls back', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  /** WebSockets that never open; those that are dropped say so. */
  function silent() {
    const dropped = vi.fn();
    class Silent {
      onclose: ((event: object) => void) | null = null;
      readyState = 0;
      send(): void {}
      close(): void {
        dropped();
      }
    }
    return { dropped, Silent: Silent as unknown as WebSocketClass };
  }

  it('gives a WebSocket that does not open up for a stream, from the second dial on', async () => {
    const edge = answering();
    const { dropped, Silent } = silent();
    const Falling = fallingBack({
      transports: ['websocket', 'sse'],
      WebSocket: Silent,
      fetch: edge.ask,
      now: () => 0,
    });
    new Falling('ws://h/ws?ticket=t').close();
    expect(dropped).toHaveBeenCalledTimes(1);
    const socket = new Falling('ws://h/ws?ticket=t') as unknown as SseSocket;
    const opened = new Promise<void>((resolve) => {
      socket.onopen = resolve;
    });
    await vi.advanceTimersByTimeAsync(4_000);
    expect(dropped).toHaveBeenCalledTimes(2);
    edge.write(began);
    await opened;
    expect(socket.readyState).toBe(1);
    (socket as unknown as { terminate(): void }).terminate();
  });
});
