import { expect, it } from 'vitest';
import { Waits } from './waits.js';

const prefetch = 4;

function world() {
  const clock = { needed: 2, ticks: 0, wanted: () => undefined };
  const queue = { ticks: 0, wanted: 0 };
  const waits = new Waits(prefetch, {
    channel: clock,
    queue: () => ({
      needed: 2,
      get ticks() {
        return queue.ticks;
      },
      wanted: () => {
        queue.wanted += 1;
      },
    }),
  });
  const deliver = (count: number) => Array.from({ length: count }, () => waits.delivered());
  return { clock, queue, waits, deliver };
}

it('the first window is sent in one go', () => {
  expect(world().deliver(prefetch)).toEqual([false, false, false, false]);
});

it('what came because of an acknowledgement of just now may follow a wait, also where little is in hand here', () => {
  const { waits, deliver } = world();
  deliver(1);
  waits.settled();
  // Three of these were on their way.
  expect(deliver(4)).toEqual([false, false, false, true]);
});

it('what the broker has had for long does not hold it up', () => {
  const { clock, waits, deliver } = world();
  deliver(2);
  waits.settled();
  waits.settled();
  clock.ticks += 2;
  expect(deliver(4)).toEqual([false, false, false, false]);
});

it('of acknowledgements at a steady rate the recent ones count', () => {
  const { clock, waits, deliver } = world();
  const seen: boolean[] = [];
  for (let n = 0; n < 40; n += 1) {
    seen.push(...deliver(1));
    waits.settled();
    clock.ticks += 1;
  }
  // Each comes four ticks after the acknowledgement that it needed.
  expect(seen.slice(8)).toEqual(Array.from({ length: 32 }, () => false));
  const quick: boolean[] = [];
  for (let n = 0; n < 40; n += 1) {
    quick.push(...deliver(1));
    waits.settled();
    if (n % 4 === 0) clock.ticks += 1;
  }
  expect(quick.slice(8)).toEqual(Array.from({ length: 32 }, () => true));
});

it('tells how many may be on their way', () => {
  const { waits, deliver } = world();
  expect(waits.room).toBe(4);
  deliver(4);
  expect(waits.room).toBe(0);
  waits.settled();
  expect(waits.room).toBe(1);
});

it('with a great prefetch the broker waits for its connection as well', () => {
  const clock = { needed: 2, ticks: 0, wanted: () => undefined };
  const waits = new Waits(1_000, { channel: clock, queue: () => clock });
  const seen = Array.from({ length: 201 }, () => waits.delivered());
  // It may not have been told of the last 49 that were written.
  expect(seen.indexOf(true)).toBe(150);
});

it('of a session that gets much the queue itself is asked, and its second answer counts', () => {
  const { queue, waits, deliver } = world();
  deliver(3);
  waits.settled();
  expect(queue.wanted).toBe(0);
  deliver(1);
  waits.settled();
  expect(queue.wanted).toBe(1);
  queue.ticks += 1;
  expect(deliver(1)).toEqual([true]);
  queue.ticks += 1;
  expect(deliver(1)).toEqual([false]);
});
