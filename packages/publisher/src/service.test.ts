import { BrokerError } from '@evenkeel/broker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { World } from '../testing/service-world.js';
import { PublisherError, ServiceError } from './errors.js';
import type { Served } from './queues.js';
import type { InboundHandler } from './types.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(0);
const requests: Served = { kind: 'request', pattern: 'shop.x' };
const publishes: Served = { kind: 'publish', pattern: 'shop.x' };
const failing = (error: unknown) => () => {
  throw error;
};

describe('a request', () => {
  it.each([
    ['a value', () => ({ a: 1 }), '{"a":1}', 'application/json'],
    ['nothing', () => undefined, 'null', 'application/json'],
    ['bytes', () => Uint8Array.of(52, 50), '42', 'application/octet-stream'],
  ])('whose handler returns %s is answered with that', async (_what, handler, body, contentType) => {
    const world = new World();
    await world.start(requests, handler);
    world.ask('1');
    await settled();
    expect(world.replies.map((reply) => [reply.to, reply.body.toString(), reply.contentType])).toEqual([
      ['to 1', body, contentType],
    ]);
    expect(world.settled).toEqual(['ack 1']);
  });

  it('is answered in the words of a ServiceError', async () => {
    const world = new World();
    await world.start(requests, failing(new ServiceError('sold-out', 'none left')));
    world.ask('1');
    await settled();
    expect(world.replies).toMatchObject([{ errorCode: 'sold-out', body: Buffer.from('none left') }]);
    expect(world.logged).toEqual([]);
  });

  const secret = 'password=hunter2 at /srv/app.js';
  it.each([
    ['an error', new Error(secret)],
    ['an error with a code', Object.assign(new Error(secret), { code: 'ECONNREFUSED' })],
    [
      'one that looks like a ServiceError',
      Object.assign(new Error(secret), { name: 'ServiceError', code: 'x' }),
    ],
    ['a text', secret],
    ['what has no text', Object.create(null)],
    ['a ServiceError without a code', new ServiceError('', secret)],
    ['a ServiceError whose code is no string', new ServiceError(7 as unknown as string, secret)],
    ['a PublisherError', new PublisherError('bad-name', secret)],
  ])('tells its client nothing of %s, and the log everything', async (_what, error) => {
    const world = new World();
    await world.start(requests, failing(error));
    world.ask('1');
    await settled();
    expect(world.replies.map((reply) => ({ ...reply, body: reply.body.toString() }))).toEqual([
      { to: 'to 1', errorCode: 'service-error', body: 'the service failed', contentType: 'text/plain' },
    ]);
    expect(world.logged).toMatchObject([{ level: 'error', message: 'handler failed' }]);
    if (typeof error === 'string' || 'message' in error) expect(world.logged[0]?.error).toContain(secret);
    expect(world.settled).toEqual(['ack 1']);
  });

  it.each([
    ['a BigInt', 1n],
    ['a function', () => 1],
  ])(
    'whose handler returns %s, which is no JSON, is answered that the service failed',
    async (_what, value) => {
      const world = new World();
      await world.start(requests, () => value);
      world.ask('1');
      await settled();
      expect(world.replies).toMatchObject([{ errorCode: 'service-error' }]);
    },
  );

  it('whose handler takes too long is answered that the service failed, and the next one has its turn', async () => {
    const world = new World();
    const aborted: boolean[] = [];
    await world.start(
      requests,
      ({ id, signal }) => {
        if (id === '2') return 'next';
        return new Promise(() => signal.addEventListener('abort', () => aborted.push(signal.aborted)));
      },
      { handlerTimeoutMs: 500 },
    );
    world.ask('1');
    world.ask('2');
    await vi.advanceTimersByTimeAsync(500);
    expect(aborted).toEqual([true]);
    expect(world.replies).toMatchObject([{ errorCode: 'service-error' }, { body: Buffer.from('"next"') }]);
    expect(world.logged[0]?.error).toContain('handlerTimeoutMs');
  });

  it('that comes again is answered again and not handled again', async () => {
    const world = new World();
    let handled = 0;
    await world.start(requests, () => ++handled);
    for (let n = 0; n < 3; n++) world.ask('same');
    await settled();
    expect(handled).toBe(1);
    expect(world.replies.map(({ body }) => body.toString())).toEqual(['1', '1', '1']);
  });

  it('whose reply the broker refuses for good is answered that the service failed, once', async () => {
    const world = new World();
    const refuse = vi.fn().mockRejectedValueOnce(new BrokerError('publish-refused', 'too large'));
    world.reply = refuse;
    await world.start(requests, () => 'big');
    world.ask('1');
    await settled();
    expect(world.replies).toMatchObject([{ errorCode: 'service-error' }]);
    expect(refuse).toHaveBeenCalledTimes(2);
    expect(world.settled).toEqual(['ack 1']);
  });

  it('for which the broker refuses every reply is let go', async () => {
    const world = new World();
    world.reply = () => Promise.reject(new BrokerError('publish-refused', 'no right'));
    await world.start(requests, () => 1);
    world.ask('1');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.settled).toEqual(['ack 1']);
  });

  it('whose reply the broker does not take is answered up to three times, handled once, and then let go', async () => {
    const world = new World();
    let handled = 0;
    const nacked = vi.fn().mockRejectedValue(new BrokerError('publish-nacked', 'no'));
    world.reply = nacked;
    // Also where it could be found nowhere else.
    await world.start(requests, () => ++handled, { remember: 0 });
    world.ask('1');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([handled, nacked.mock.calls.length]).toEqual([1, 3]);
    expect(world.settled).toEqual(['ack 1']);
    expect(world.logged.at(-1)).toMatchObject({ level: 'error', message: 'reply not sent, and given up' });
  });
});

describe('a publish', () => {
  it('whose handler fails is handled three times in all, and what its session sent later waits', async () => {
    const world = new World();
    const handled: string[] = [];
    const service = await world.start(publishes, ({ id, session }) => {
      handled.push(`${session} ${id}`);
      if (id === 'bad') throw new Error('always');
    });
    world.deliver('bad');
    world.deliver('after');
    world.deliver('other', { headers: { 'evenkeel-session': 's2' } });
    await settled();
    expect(handled).toEqual(['s1 bad', 's2 other']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(handled).toEqual(['s1 bad', 's2 other', 's1 bad']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(handled.slice(3)).toEqual(['s1 bad', 's1 after']);
    expect(world.settled).toEqual(['ack other', 'drop bad', 'ack after']);
    expect(service.dropped).toBe(1);
    expect(world.logged.map(({ level }) => level)).toEqual(['warn', 'warn', 'error']);
    expect(world.logged[2]?.error).toContain('always');
  });

  it('is retried as the service says', async () => {
    const world = new World();
    let handled = 0;
    const handler = () => {
      handled += 1;
      throw new Error('no');
    };
    await world.start(publishes, handler, { retryDelaysMs: [] });
    world.deliver('1');
    await settled();
    expect([handled, world.settled]).toEqual([1, ['drop 1']]);
  });

  it('that comes again after it was handled, or dropped, is not handled again', async () => {
    const world = new World();
    let handled = 0;
    const handler: InboundHandler = ({ id }) => {
      handled += 1;
      if (id === 'bad') throw new Error('no');
    };
    await world.start(publishes, handler, { retryDelaysMs: [] });
    for (const id of ['good', 'bad', 'good', 'bad']) world.deliver(id);
    await settled();
    expect(handled).toBe(2);
    expect(world.settled).toEqual(['ack good', 'drop bad', 'ack good', 'drop bad']);
  });

  it.each([
    ['session', ['s1 a', 's2 c']],
    ['key', ['s1 a']],
    ['none', ['s1 a', 's1 b', 's2 c']],
  ] as const)('waits for what has its %s', async (order, atOnce) => {
    const world = new World();
    const began: string[] = [];
    const handler: InboundHandler = ({ id, session }) => {
      began.push(`${session} ${id}`);
      return new Promise(() => {});
    };
    await world.start(publishes, handler, { order, handlerTimeoutMs: Number.POSITIVE_INFINITY });
    world.deliver('a');
    world.deliver('b');
    world.deliver('c', { headers: { 'evenkeel-session': 's2' } });
    await settled();
    expect(began).toEqual(atOnce);
  });

  it.each([
    ['{"a":1}', 'application/json', { a: 1 }],
    ['{"a":1}', undefined, { a: 1 }],
    ['no json', 'application/json', 'no json'],
    ['42', 'text/plain', '42'],
    ['42', 'application/octet-stream', Uint8Array.of(52, 50)],
  ])('of %s as %s is what it was', async (body, contentType, data) => {
    const world = new World();
    const got: unknown[] = [];
    await world.start(publishes, (message) => got.push(message.data));
    world.deliver('1', { contentType }, body);
    await settled();
    expect(got).toEqual([data]);
  });
});

describe('what was taken', () => {
  it('is given back at the end, unless its handler has finished by then', async () => {
    const world = new World();
    const handler: InboundHandler = ({ id }) =>
      new Promise((resolve) => setTimeout(resolve, id === '1' ? 100 : 60_000));
    const service = await world.start(publishes, handler, { handlerTimeoutMs: Number.POSITIVE_INFINITY });
    world.deliver('1');
    world.deliver('2');
    world.deliver('3', { headers: { 'evenkeel-session': 's2' } });
    const stopped = service.stop();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(world.settled).toEqual(['ack 1']);
    await vi.advanceTimersByTimeAsync(1);
    await stopped;
    expect(world.settled).toEqual(['ack 1', 'requeue 3', 'requeue 2']);
    expect(world.calls.at(-1)).toBe('cancel service.shop.publish:shop.x');
    expect(world.logged).toMatchObject([{ level: 'warn', message: expect.stringContaining('go back') }]);
  });

  it.each([
    ['answered', requests],
    ['handled', publishes],
  ])('is not given back where it repeats what was %s: its handler would run once more', async (_, served) => {
    const world = new World();
    const ran: string[] = [];
    const service = await world.start(served, ({ id }) => {
      ran.push(String(id));
      return id === '2' ? new Promise(() => {}) : undefined;
    });
    const take = (id: string) => (served === requests ? world.ask(id) : world.deliver(id));
    take('1');
    await settled();
    take('2');
    take('1');
    await settled();
    const stopped = service.stop();
    await vi.advanceTimersByTimeAsync(20_000);
    await stopped;
    expect(ran).toEqual(['1', '2']);
    expect(world.settled).toEqual(['ack 1', 'requeue 2', 'ack 1']);
    expect(world.replies.map(({ to }) => to)).toEqual(served === requests ? ['to 1', 'to 1'] : []);
  });

  it('is given back at once when it waits to be tried again', async () => {
    const world = new World();
    const service = await world.start(publishes, failing(new Error('no')));
    world.deliver('1');
    world.deliver('2');
    await settled();
    const stopped = service.stop();
    await settled();
    await stopped;
    expect(world.settled).toEqual(['requeue 1', 'requeue 2']);
  });

  it('and is delivered again after a loss, is not handled twice', async () => {
    const world = new World();
    const handled: string[] = [];
    const finish: (() => void)[] = [];
    await world.start(publishes, ({ id }) => {
      handled.push(String(id));
      return new Promise<void>((resolve) => finish.push(resolve));
    });
    world.deliver('1');
    world.deliver('2');
    world.lose();
    world.deliver('1');
    world.deliver('2');
    for (let n = 0; n < 2; n++) {
      await settled();
      finish.shift()?.();
    }
    await settled();
    expect(handled).toEqual(['1', '2']);
    expect(world.settled).toEqual(['ack 1', 'ack 1', 'ack 2']);
  });
});

describe('what has come of messages', () => {
  const counted = ({ counts }: World) =>
    Object.fromEntries(Object.entries(counts.counts).filter(([, count]) => count > 0));

  it('is counted for requests: answered, refused in words of their own, failed, and repeated', async () => {
    const world = new World();
    await world.start(requests, ({ id }) => {
      if (id === 'refused') throw new ServiceError('sold-out', 'none left');
      if (id === 'failed') throw new Error('a fault');
      return id;
    });
    for (const id of ['answered', 'answered', 'refused', 'failed']) {
      world.ask(id);
      await settled();
    }
    expect(counted(world)).toEqual({ answered: 1, repeated: 1, refused: 1, failed: 1 });
  });

  it('is counted for publishes: handled, tried again, dropped, and those of the other kind', async () => {
    const world = new World();
    await world.start(publishes, failing(new Error('a fault')), { retryDelaysMs: [10] });
    world.deliver('1', { type: 'publish' });
    await vi.advanceTimersByTimeAsync(20);
    world.ask('2');
    expect(counted(world)).toEqual({ retried: 1, dropped: 1, ignored: 1 });
  });

  it('is said to whoever follows a session, at the level debug', async () => {
    const world = new World();
    await world.start(requests, () => 1);
    world.ask('1', { headers: { 'evenkeel-user': 'alice' } });
    await settled();
    expect(world.followed).toEqual([
      {
        message: 'request',
        queue: 'service.shop.shop.x',
        method: 'shop.x',
        id: '1',
        user: 'alice',
        session: 's1',
        outcome: 'answered',
      },
    ]);
  });

  it('says how many handlers run', async () => {
    const world = new World();
    let finish = () => {};
    await world.start(requests, () => new Promise<void>((resolve) => (finish = resolve)));
    world.ask('1');
    await settled();
    expect(world.counts.running).toBe(1);
    finish();
    await settled();
    expect(world.counts.running).toBe(0);
  });
});
