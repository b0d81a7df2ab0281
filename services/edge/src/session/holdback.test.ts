import type { Delivery } from '@evenkeel/broker';
import type { GapReason } from '@evenkeel/protocol';
import { expect, test } from 'vitest';
import { Holdback } from './holdback.js';

/** A holdback whose looks end when they are told to; what it passes and tells, in order. */
function held() {
  const seen: string[] = [];
  let pass: (hasPassed: boolean) => void = () => undefined;
  const fence = () =>
    new Promise<boolean>((resolve) => {
      pass = resolve;
    });
  const holdback = new Holdback({
    drops: { doubts: 0, fence, whyOf: () => undefined } as never,
    isFull: () => false,
    onDropped: (why: GapReason) => seen.push(why),
    pass: (delivery) => seen.push((delivery as unknown as { name: string }).name),
  });
  const offer = (...names: string[]) => {
    for (const name of names) holdback.offer({ name } as unknown as Delivery);
  };
  const look = async (hasPassed = true) => {
    pass(hasPassed);
    await holdback.settled();
  };
  return { holdback, seen, offer, look };
}

test('what was dropped is told before each of what was held, also where word of it came first: nobody says where it was', async () => {
  const { holdback, seen, offer, look } = held();
  holdback.due();
  holdback.dropped('overflow');
  offer('a', 'b');
  await look();
  expect(seen).toEqual(['overflow', 'a', 'overflow', 'b']);
});

test('where nothing was dropped nothing is told', async () => {
  const { holdback, seen, offer, look } = held();
  holdback.due();
  offer('a', 'b');
  await look();
  expect(seen).toEqual(['a', 'b']);
});

test('what was dropped while several were held is told before each of them', async () => {
  const { holdback, seen, offer, look } = held();
  holdback.due();
  offer('a', 'b', 'c');
  holdback.dropped('expired');
  await look();
  expect(seen.filter((each) => each !== 'expired')).toEqual(['a', 'b', 'c']);
  expect(seen.slice(0, 6)).toEqual(['expired', 'a', 'expired', 'b', 'expired', 'c']);
});

test('a look that did not pass is a drop anywhere among what was held', async () => {
  const { holdback, seen, offer, look } = held();
  holdback.due();
  offer('a', 'b');
  await look(false);
  expect(seen).toEqual(['broker-lost', 'a', 'broker-lost', 'b']);
});

test('what is missing is told in its place, among what is held as well, and by who gives it back', async () => {
  const { holdback, seen, offer, look } = held();
  offer('a');
  holdback.missing('broker-lost');
  holdback.due();
  offer('b', 'c');
  holdback.missing('broker-lost');
  offer('d');
  expect(holdback.size).toBe(3);
  await look();
  expect(seen).toEqual(['a', 'broker-lost', 'b', 'c', 'broker-lost', 'd']);
  holdback.due();
  offer('e');
  holdback.missing('broker-lost');
  const { held: left, noted } = holdback.takeAll();
  expect([left.length, noted]).toEqual([1, 'broker-lost']);
});
