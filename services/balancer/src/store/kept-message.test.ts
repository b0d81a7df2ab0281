import type { ConsumeOptions, Consumer, Delivery } from '@evenkeel/broker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readKept } from './kept-message.js';

/** A queue with one message, `kept`, that shows as much of itself as a test lets it. */
class FakeQueue {
  isThere = true;
  isKept = true;
  /** Another reader has the message. */
  isHeld = false;
  others = 0;
  /** From the request for it to its delivery. */
  delayMs = 0;
  counts = () => ({
    messages: this.isKept && !this.isHeld ? 1 : 0,
    consumers: this.others + (this.#consumer ? 1 : 0),
  });
  checkQueue = async () => (this.isThere ? this.counts() : undefined);
  onCancel = async (): Promise<boolean> => true;
  #consumer: ConsumeOptions | undefined;

  consume = async (_queue: string, options: ConsumeOptions): Promise<Consumer> => {
    this.#consumer = options;
    setTimeout(() => this.deliver(), this.delayMs);
    const cancel = async () => {
      const isConfirmed = await this.onCancel();
      this.#consumer = undefined;
      return isConfirmed;
    };
    return {
      queue: 'kept',
      state: 'active',
      cancel,
      barrier: async () => undefined,
      unbind: async () => undefined,
    };
  };

  putBack(): void {
    this.isHeld = false;
    this.deliver();
  }

  lose(): void {
    this.#consumer?.onLost?.('channel');
  }

  deliver(): void {
    if (!this.isKept || this.isHeld || !this.#consumer) return;
    this.isHeld = true;
    const settle = (isKept: boolean) => {
      this.isKept = isKept;
      this.putBack();
    };
    const delivery = { body: Buffer.from('kept'), requeue: () => settle(true), drop: () => settle(false) };
    this.#consumer.onDelivery(delivery as Delivery);
  }
}

let queue: FakeQueue;
const quietMs = 300;
const patienceMs = 3_000;
const look = (read = (body: Buffer): string | undefined => body.toString()) =>
  readKept('kept', read, { consumers: queue, topology: queue, quietMs, patienceMs });
/** What comes of it, as words. */
const looked = async (ms = 20_000): Promise<string> => {
  const outcome = look().then(String, (error: Error) => error.message);
  await vi.advanceTimersByTimeAsync(ms);
  return outcome;
};

beforeEach(() => {
  vi.useFakeTimers();
  queue = new FakeQueue();
});
afterEach(() => {
  vi.useRealTimers();
});

it('is read and put back', async () => {
  expect(await looked()).toBe('kept');
  expect(queue).toMatchObject({ isKept: true, isHeld: false });
});

it('is dropped where nothing can be made of it', async () => {
  const nothing = look(() => undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await nothing).toBeUndefined();
  expect(queue.isKept).toBe(false);
});

it('is none where the queue counts its reader alone and delivers nothing, or is not there', async () => {
  queue.isKept = false;
  expect(await looked()).toBe('undefined');
  queue.isThere = false;
  expect(await looked()).toBe('undefined');
});

it('is waited for from when the queue has answered, however long the connection was away', async () => {
  const { checkQueue } = queue;
  queue.checkQueue = async () => {
    await new Promise((resolve) => setTimeout(resolve, 2 * patienceMs));
    return checkQueue();
  };
  queue.delayMs = quietMs / 2;
  expect(await looked()).toBe('kept');
});

it('is not taken for none where it was counted and does not come', async () => {
  queue.delayMs = 3_600_000;
  expect(await looked()).toContain('not delivered');
});

it('is not taken for none where a queue without its leader counts 0 of everything', async () => {
  queue.delayMs = 3_600_000;
  queue.counts = () => ({ messages: 0, consumers: 0 });
  expect(await looked()).toContain('does not answer');
  queue.delayMs = 2_000;
  expect(await looked()).toBe('kept');
});

it('is waited for while another may hold it, and read when that one has put it back', async () => {
  queue.isHeld = true;
  queue.others = 1;
  const first = look();
  await vi.advanceTimersByTimeAsync(2.9 * quietMs);
  queue.others = 0;
  await vi.advanceTimersByTimeAsync(0.9 * quietMs);
  queue.putBack();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await first).toBe('kept');
  queue.isHeld = true;
  queue.others = 1;
  expect(await looked()).toContain('another consumes it');
});

async function expectPutBackAtCancel(): Promise<void> {
  queue.onCancel = async () => {
    queue.putBack();
    return true;
  };
  expect(await looked()).toBe('kept');
  expect(queue).toMatchObject({ isKept: true, isHeld: false });
}

it('is read and put back where it comes with the end of its consumer', async () => {
  queue.isHeld = true;
  await expectPutBackAtCancel();
});

it('is put back where a look at the queue fails meanwhile', async () => {
  const { checkQueue } = queue;
  let looks = 0;
  queue.checkQueue = async () => {
    looks += 1;
    if (looks > 1) throw new Error('no connection');
    return checkQueue();
  };
  queue.isHeld = true;
  expect(await looked()).toContain('no connection');
  looks = 0;
  await expectPutBackAtCancel();
});

it('is not taken for none where the consumer is lost', async () => {
  queue.isHeld = true;
  queue.onCancel = async () => false;
  const outcome = looked();
  await vi.advanceTimersByTimeAsync(100);
  queue.lose();
  expect(await outcome).toContain('consumer was lost');
});
