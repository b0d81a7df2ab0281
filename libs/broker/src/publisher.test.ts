import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alarm } from './alarm.js';
import type { AmqpConnection } from './connection.js';
import { Publisher, type PublisherOptions } from './publisher.js';

/** A broker that has what is sent to it, and confirms it one by one. */
class FakeChannel extends EventEmitter {
  readonly sent: string[] = [];
  readonly #confirms: ((error?: unknown) => void)[] = [];

  publish(_exchange: string, _key: string, body: Buffer, _options: object, done: () => void): void {
    this.sent.push(`${body[0]}:${body.length}`);
    this.#confirms.push(done);
  }

  confirm(): void {
    this.#confirms.shift()?.();
  }
}

async function make(options: PublisherOptions, isAway = false) {
  const closing = new AbortController();
  const channel = new FakeChannel();
  const model = { createConfirmChannel: async () => channel };
  const connection = {
    state: 'open',
    alarm: new Alarm(),
    model: isAway ? undefined : model,
    closing: closing.signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    on: () => () => {},
    counts: () => {},
  };
  const publisher = new Publisher(connection as unknown as AmqpConnection, options);
  await new Promise(setImmediate);
  /** The first byte tells them apart. */
  const publish = (n: number, bytes: number) => {
    const published = publisher.publish('', 'q', Buffer.alloc(bytes, n));
    published.catch(() => {});
    return published;
  };
  return { publisher, channel, publish, alarm: connection.alarm, close: () => closing.abort() };
}

describe('the waiting room of a publisher', () => {
  it('is bounded in bytes, and has room again when they have gone', async () => {
    const { channel, publish } = await make({ window: 1, maxQueuedBytes: 100 });
    void publish(0, 10);
    const waiting = [publish(1, 60), publish(2, 40)];
    await expect(publish(3, 1)).rejects.toMatchObject({ code: 'publisher-overflow' });
    channel.confirm();
    void publish(4, 60);
    await expect(publish(5, 1)).rejects.toMatchObject({ code: 'publisher-overflow' });
    for (const _ of [1, 2, 4]) channel.confirm();
    expect(await Promise.all(waiting)).toEqual(['routed', 'routed']);
    expect(channel.sent).toEqual(['0:10', '1:60', '2:40', '4:60']);
  });

  it('takes one of any size, else what is larger than the room could never be published', async () => {
    const { channel, publish } = await make({ maxQueuedBytes: 100 }, true);
    const large = publish(1, 1_000);
    await expect(publish(2, 1)).rejects.toMatchObject({ code: 'publisher-overflow' });
    expect(channel.sent).toEqual([]);
    await expect(Promise.race([large, Promise.resolve('waits')])).resolves.toBe('waits');
  });

  it('is empty again once all that was in it is given up', async () => {
    const { publisher, publish } = await make({ maxQueuedBytes: 100, timeoutMs: 30 }, true);
    await expect(publish(1, 100)).rejects.toMatchObject({ code: 'publish-timeout' });
    void publish(2, 100);
    await expect(publish(3, 1)).rejects.toMatchObject({ code: 'publisher-overflow' });
    await publisher.flush();
  });
});

describe('what a publisher has sent and is not confirmed', () => {
  it('is bounded in bytes, but one goes out whatever its size', async () => {
    const { channel, publish } = await make({ windowBytes: 100 });
    for (const n of [1, 2, 3]) void publish(n, 60);
    expect(channel.sent).toEqual(['1:60', '2:60']);
    channel.confirm();
    expect(channel.sent).toEqual(['1:60', '2:60', '3:60']);
    void publish(4, 1_000);
    channel.confirm();
    expect(channel.sent.at(-1)).toBe('4:1000');
  });
});

describe('while the broker is in an alarm', () => {
  const blockedMs = 50;
  const byThen = () => vi.advanceTimersByTimeAsync(2 * blockedMs);

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('what says how long it waits is refused then, and never goes out; the rest waits, and goes out in order', async () => {
    const { publisher, channel, publish, alarm } = await make({ timeoutMs: 500 });
    const asked = (n: number) => publisher.publish('', 'q', Buffer.alloc(1, n), {}, undefined, blockedMs);
    const refused = { code: 'publisher-blocked' };
    alarm.raised(publisher, 'low on memory');
    const [first, kept, second] = [asked(1), publish(2, 1), asked(3)];
    const refusals = [first, second, asked(4)].map((each) => expect(each).rejects.toMatchObject(refused));
    await byThen();
    await Promise.all(refusals);
    expect(publisher.outstanding).toBe(1);
    alarm.over(publisher);
    const last = asked(5);
    expect(channel.sent).toEqual(['2:1', '5:1']);
    channel.confirm();
    channel.confirm();
    expect(await Promise.all([kept, last])).toEqual(['routed', 'routed']);
  });

  it('what was sent before is not refused: it may arrive when that is over', async () => {
    const { publisher, channel, alarm } = await make({ timeoutMs: 500 });
    const sent = publisher.publish('', 'q', Buffer.alloc(1, 1), {}, undefined, blockedMs);
    alarm.raised(publisher, 'low on memory');
    await byThen();
    alarm.over(publisher);
    channel.confirm();
    expect(await sent).toBe('routed');
  });

  it('one that is shorter than what a message waits refuses nothing', async () => {
    const { publisher, channel, alarm } = await make({ timeoutMs: 500 });
    alarm.raised(publisher, 'low on memory');
    const waited = publisher.publish('', 'q', Buffer.alloc(1, 1), {}, undefined, 10_000);
    await byThen();
    alarm.over(publisher);
    channel.confirm();
    expect(await waited).toBe('routed');
  });

  it('what one connection is told keeps the others from publishing, until it is over for all of them', async () => {
    const { channel, publish, alarm } = await make({});
    const others = [{}, {}] as const;
    for (const each of others) alarm.raised(each, 'low on disk');
    void publish(1, 1);
    expect([alarm.isOn, alarm.reason, channel.sent]).toEqual([true, 'low on disk', []]);
    alarm.over(others[0]);
    expect(channel.sent).toEqual([]);
    alarm.over(others[1]);
    expect([alarm.isOn, alarm.ageMs, channel.sent]).toEqual([false, undefined, ['1:1']]);
  });
});
