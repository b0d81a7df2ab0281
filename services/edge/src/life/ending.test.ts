import type { ConsumeOptions, Consumer, Delivery } from '@evenkeel/broker';
import { lossMarks } from '@evenkeel/protocol';
import { beforeEach, expect, it } from 'vitest';
import { Endings } from './ending.js';

type Message = { exchange: string; key: string; headers?: Record<string, unknown> };

/** One queue of a broker, as far as ending a session has to do with it. */
class FakeQueue {
  ready: Message[] = [];
  unacked = new Set<Message>();
  rivals = 0;
  isThere = true;
  isBound = true;
  /** Comes as soon as the queue has been found empty. */
  late: Message[] = [];
  #consumer: ConsumeOptions | undefined;

  get counts() {
    return { messages: this.ready.length, consumers: this.rivals + (this.#consumer ? 1 : 0) };
  }

  checkQueue = async () => (this.isThere ? this.counts : undefined);
  bind = async () => {
    this.isBound = true;
  };
  unbind = async () => {
    this.isBound = false;
  };
  markLoss = async () => {
    this.ready.push(mark);
    this.#deliver();
  };
  deleteEmptyQueue = async () => {
    const late = this.late.shift();
    if (late && this.isBound) this.ready.push(late);
    if (this.ready.length > 0) return false;
    this.isThere = false;
    return true;
  };
  consume = async (_queue: string, options: ConsumeOptions): Promise<Consumer> => {
    this.#consumer = options;
    queueMicrotask(() => this.#deliver());
    const cancel = async () => {
      this.#consumer = undefined;
      return true;
    };
    const unbind = () => this.unbind();
    return { queue: 'q', state: 'active', cancel, barrier: async () => undefined, unbind };
  };

  #deliver(): void {
    while (this.#consumer && this.unacked.size < 64) {
      const message = this.ready.shift();
      if (message === undefined) return;
      this.unacked.add(message);
      this.#consumer.onDelivery(this.#delivery(message));
    }
  }

  #delivery(message: Message): Delivery {
    const settle = (isBack: boolean) => {
      this.unacked.delete(message);
      if (isBack) this.ready.unshift(message);
      else queueMicrotask(() => this.#deliver());
    };
    const { exchange, key, headers = {} } = message;
    return {
      body: Buffer.from(''),
      exchange,
      key,
      redelivered: false,
      properties: { headers },
      isSettled: false,
      isVoid: false,
      forgetContent: () => {},
      ack: () => settle(false),
      requeue: () => settle(true),
      drop: () => settle(false),
    };
  }
}

let queue: FakeQueue;
let published: string[];
let failure: Error | undefined;
let endings: Endings;
const owner = { uid: 'u', sid: 's' };
const event = (n: number): Message => ({ exchange: 'mesh.events', key: `user.u.e${n}` });
const mark: Message = {
  exchange: 'mesh.replies',
  key: 'session.u.s',
  headers: { 'evenkeel-seal': lossMarks.begin },
};
const seal: Message = { exchange: '', key: 'session.u.s', headers: { 'evenkeel-seal': 'x' } };

beforeEach(() => {
  queue = new FakeQueue();
  published = [];
  failure = undefined;
  endings = new Endings({
    topology: queue,
    markLoss: () => queue.markLoss(),
    generations: {
      find: async () => ({ generation: 0, counts: await queue.checkQueue(), isLost: false, older: [] }),
      leave: () => undefined,
    },
    consumers: queue,
    undelivered: {
      async publish({ key }, why) {
        if (failure) throw failure;
        published.push(`${key} ${why}`);
      },
    },
  });
});

it('hands on every event in order, neither seals nor replies, and deletes the queue', async () => {
  queue.ready = [seal, ...Array.from({ length: 200 }, (_, n) => event(n))];
  queue.ready.push({ exchange: 'mesh.replies', key: 'session.u.s' });
  expect(await endings.end(owner, 'expired')).toBe('ended');
  expect(published).toEqual(Array.from({ length: 200 }, (_, n) => `user.u.e${n} expired`));
  expect([queue.isThere, queue.unacked.size]).toEqual([false, 0]);
});

it('hands on what comes while it ends, and lets nothing in after that', async () => {
  queue.ready = [seal];
  queue.late = [event(2), event(3)];
  expect(await endings.end(owner, 'ended')).toBe('ended');
  expect(published).toEqual(['user.u.e2 ended']);
  expect([queue.isBound, queue.isThere]).toEqual([false, false]);
});

it('lets nothing in either where it has found events: one more may be on its way to a queue that is empty, and would go with it', async () => {
  queue.ready = [seal, event(1)];
  const { deleteEmptyQueue } = queue;
  const wasBound: boolean[] = [];
  queue.deleteEmptyQueue = async () => {
    wasBound.push(queue.isBound);
    return await deleteEmptyQueue();
  };
  expect(await endings.end(owner, 'ended')).toBe('ended');
  queue = Object.assign(queue, { isThere: true, isBound: true, ready: [seal] });
  expect(await endings.end(owner, 'ended')).toBe('ended');
  expect(wasBound).toEqual([false, true]);
});

it('says in the queue that nothing new gets in, before it is so, and takes that along only with the queue', async () => {
  queue.ready = [seal];
  queue.late = [event(2)];
  let found: Message | undefined;
  queue.unbind = async () => {
    // Its own consumer has it already, unacknowledged.
    found = [...queue.unacked].at(-1);
    queue.isBound = false;
  };
  const { deleteEmptyQueue } = queue;
  let deletions = 0;
  queue.deleteEmptyQueue = async () => {
    deletions += 1;
    if (deletions === 2) throw new Error('away');
    return await deleteEmptyQueue();
  };
  await expect(endings.end(owner, 'expired')).rejects.toThrow('away');
  // And once more when it is so: something may have come between the two.
  expect([found, queue.ready, queue.unacked.size]).toEqual([mark, [mark, mark], 0]);
  // Another attempt leaves it there as well, until it succeeds.
  expect(await endings.end(owner, 'expired')).toBe('ended');
  expect(published).toEqual(['user.u.e2 expired']);
});

it('stands back for who comes between two rounds, and for who comes while it shuts the queue, which is bound again', async () => {
  for (const when of ['between', 'meanwhile']) {
    queue.isBound = true;
    queue.rivals = 0;
    queue.ready = [seal];
    queue.late = [event(2)];
    const { deleteEmptyQueue, unbind } = queue;
    if (when === 'between')
      queue.deleteEmptyQueue = async () => {
        queue.rivals = 1;
        return await deleteEmptyQueue();
      };
    else
      queue.unbind = async () => {
        queue.rivals = 1;
        await unbind();
      };
    expect(await endings.end(owner, 'expired')).toBe('raced');
    const left = when === 'between' ? [event(2)] : [event(2), mark, mark];
    expect([queue.isBound, queue.isThere, queue.unacked.size]).toEqual([true, true, 0]);
    expect(queue.ready).toHaveLength(left.length);
    expect(queue.ready).toEqual(expect.arrayContaining(left));
    Object.assign(queue, { deleteEmptyQueue, unbind });
  }
  expect(published).toEqual([]);
});

it('touches nothing where somebody consumes, or comes to consume at the same moment', async () => {
  queue.ready = [event(1)];
  queue.rivals = 1;
  expect(await endings.end(owner, 'expired')).toBe('taken');
  queue.rivals = 0;
  const consume = queue.consume;
  queue.consume = async (...args) => {
    queue.rivals = 1;
    return await consume(...args);
  };
  expect(await endings.end(owner, 'expired')).toBe('raced');
  expect([published, queue.isThere, queue.unacked.size]).toEqual([[], true, 0]);
});

it('leaves a session that somebody has come for bound, where an attempt to end it has failed half-way', async () => {
  queue.ready = [seal];
  queue.late = [event(2)];
  const away = new Error('away');
  queue.unbind = async () => {
    queue.isBound = false;
    failure = away;
  };
  await expect(endings.end(owner, 'expired')).rejects.toBe(away);
  expect(queue.isBound).toBe(false);
  queue.rivals = 1;
  expect(await endings.end(owner, 'expired')).toBe('taken');
  expect(queue.isBound).toBe(true);
});

it('gives back what cannot be handed on, and keeps the queue', async () => {
  queue.ready = [seal, event(1), event(2)];
  failure = new Error('away');
  await expect(endings.end(owner, 'expired')).rejects.toBe(failure);
  expect([queue.isThere, queue.unacked.size, queue.ready.length]).toEqual([true, 0, 2]);
});

it('finds that there is nothing to end', async () => {
  queue.isThere = false;
  expect(await endings.end(owner, 'expired')).toBe('gone');
});
