import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as limits from '../limits.js';
import { type Status, StatusFeed } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { Acks } from './acks.js';
import { EventQueue } from './event-queue.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue, and an edge that sends it events of these names. */
function make() {
  const statuses: Status[] = [];
  const status = new StatusFeed();
  status.listen((each) => statuses.push(each));
  const socket = {
    get aliveAtMs() {
      return performance.now();
    },
    isGone: false,
    handledSeq: 0,
    ackedSeq: 0,
    receivedSeq: 0,
    send: () => {},
  };
  const queue = new EventQueue(new Acks(1, 0), status, 1_000);
  const log: string[] = [];
  let seq = 0;
  return {
    queue,
    log,
    statuses,
    /** `seq` of the last acknowledged event. */
    acked: () => socket.ackedSeq,
    bring: (...names: string[]) => {
      for (const name of names) {
        const frame = { t: 'event' as const, seq: ++seq, id: `${seq}`, name, data: null, at: 0 };
        queue.push(socket as unknown as EdgeSocket, frame);
      }
    },
    /** Notes the events of a name. */
    note: (name: string) => queue.on(name, (event) => void log.push(event.name)),
    /** Waits inside a handler until an event of that name has come. */
    next: (name: string) => new Promise<void>((resolve) => void queue.on(name, () => resolve())),
    settle: () => vi.advanceTimersByTimeAsync(0),
  };
}

describe('an event without a handler', () => {
  it('waits for one, and what came after it waits too', async () => {
    const { queue, log, acked, bring, note, settle } = make();
    note('later');
    bring('first', 'later');
    await settle();
    expect([log, acked()]).toEqual([[], 0]);
    const again: string[] = [];
    note('first');
    queue.on('first', ({ id }) => void again.push(id));
    await settle();
    expect([log, again, acked()]).toEqual([['first', 'later'], ['1'], 2]);
  });

  it('is told after 30 s and counts as handled, further ones of its name at once, until there is a handler', async () => {
    const { queue, log, statuses, acked, bring, note, settle } = make();
    const told = () => statuses.map((each) => (each.type === 'unhandled' ? each.id : each.type));
    bring('lost', 'lost');
    await vi.advanceTimersByTimeAsync(limits.unhandledMs - 1);
    expect([told(), acked()]).toEqual([[], 0]);
    await vi.advanceTimersByTimeAsync(1);
    bring('lost');
    expect([told(), acked()]).toEqual([['1', '2', '3'], 3]);
    expect(statuses[0]).toEqual({ type: 'unhandled', id: '1', name: 'lost' });
    const off = note('lost');
    bring('lost');
    expect(log).toEqual(['lost']);
    off();
    bring('lost');
    await settle();
    expect([told().length, acked()]).toEqual([3, 4]);
    queue.on('*', () => {});
    await settle();
    expect([told().length, acked()]).toEqual([3, 5]);
  });

  it('waits 30 s from when it came: several names hold up the next no longer than one', async () => {
    const { log, statuses, bring, note } = make();
    note('order');
    bring('a', 'b', 'c', 'order');
    await vi.advanceTimersByTimeAsync(limits.unhandledMs - 1);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(statuses.map(({ type }) => type)).toEqual(['unhandled', 'unhandled', 'unhandled']);
    expect(log).toEqual(['order']);
  });

  it('that is taken by another page leaves no wait behind for the next one', async () => {
    const { queue, statuses, bring } = make();
    bring('x');
    await vi.advanceTimersByTimeAsync(1_000);
    queue.taken();
    bring('y');
    await vi.advanceTimersByTimeAsync(limits.unhandledMs);
    expect(statuses).toMatchObject([{ type: 'gap' }, { type: 'unhandled', name: 'y' }]);
  });

  it('does not hold up what a running handler awaits behind it', async () => {
    const { queue, log, statuses, bring, next, settle } = make();
    queue.on('ask', async () => {
      await next('answer');
      log.push('asked');
    });
    bring('ask', 'presence', 'answer');
    await settle();
    expect(log).toEqual(['asked']);
    expect(statuses).toMatchObject([{ type: 'unhandled', name: 'presence' }]);
  });

  it('stays unacknowledged when the client is closed meanwhile', async () => {
    const { queue, acked, bring } = make();
    bring('lost');
    await queue.stop(1_000);
    await vi.advanceTimersByTimeAsync(2 * limits.unhandledMs);
    expect(acked()).toBe(0);
  });
});

describe('a registration', () => {
  it('is one a call, also of one function, and is ended once', () => {
    const { queue, bring } = make();
    let calls = 0;
    const handler = () => void calls++;
    const off = queue.on('x', handler);
    queue.on('x', handler);
    off();
    off();
    bring('x');
    expect(calls).toBe(1);
  });

  it('of all events hears once of one that is named *', () => {
    const { log, bring, note } = make();
    note('*');
    bring('*');
    expect(log).toEqual(['*']);
  });

  it('made or ended by a handler counts from the next event on, and at once', () => {
    const { queue, log, bring, note } = make();
    let end = (): void => {};
    queue.on('x', () => {
      end();
      note('x');
    });
    end = note('x');
    bring('x');
    expect(log).toEqual([]);
    bring('x');
    expect(log).toEqual(['x']);
  });
});

describe('a handler that waits for another event', () => {
  it('gets it, after what came before it, and all are acknowledged in order', async () => {
    const { queue, log, acked, bring, note, next, settle } = make();
    queue.on('ask', async () => {
      log.push('asks');
      await next('answer');
      log.push('has the answer');
    });
    note('between');
    note('after');
    bring('ask');
    await settle();
    bring('between', 'answer', 'after');
    expect([log, acked()]).toEqual([['asks', 'between'], 0]);
    await settle();
    expect([log, acked()]).toEqual([['asks', 'between', 'has the answer', 'after'], 4]);
  });

  it('gets it also where it had come before it was waited for', async () => {
    const { queue, log, acked, bring, next, settle } = make();
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    queue.on('ask', async () => {
      await begun;
      await next('answer');
      log.push('has the answer');
    });
    bring('ask', 'answer');
    await settle();
    begin();
    await settle();
    expect([log, acked()]).toEqual([['has the answer'], 2]);
  });

  it('may be one of several that wait, one within the other', async () => {
    const { queue, log, acked, bring, next, settle } = make();
    queue.on('ask', async ({ id }) => {
      await next('answer');
      log.push(id);
    });
    bring('ask', 'ask', 'answer');
    await settle();
    expect([log.sort(), acked()]).toEqual([['1', '2'], 3]);
  });

  it('holds up what nobody waits for, as every handler does', async () => {
    const { queue, log, bring, note, next, settle } = make();
    queue.on('ask', () => next('answer'));
    note('other');
    bring('ask', 'other', 'other');
    await settle();
    expect(log).toEqual([]);
    bring('answer');
    await settle();
    expect(log).toEqual(['other', 'other']);
  });
});

it('what a handler releases counts as handled, though it has not settled', async () => {
  const { queue, acked, bring, settle } = make();
  queue.on('logout', async () => {
    queue.letGo();
    await queue.stop(1_000);
  });
  bring('logout');
  await settle();
  expect(acked()).toBe(1);
});
