import type { Delivery } from '@evenkeel/broker';
import type { GapReason } from '@evenkeel/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { Holdback } from './holdback.js';

afterEach(() => {
  vi.useRealTimers();
});

/** A holdback whose looks end when they are told to; what it passes and tells, in order. */
function held() {
  const seen: string[] = [];
  let pass: (hasPassed: boolean) => void = () => undefined;
  let isFull = false;
  const answers: ((counts: object) => void)[] = [];
  const fence = () =>
    new Promise<boolean>((resolve) => {
      pass = resolve;
    });
  const holdback = new Holdback({
    drops: { doubts: 0, fence, whyOf: () => undefined } as never,
    room: () => (isFull ? 0 : 3),
    barrier: () => new Promise((resolve) => answers.push(resolve)),
    onDropped: (why: GapReason) => seen.push(why),
    pass: (delivery) => seen.push((delivery as unknown as { name: string }).name),
  });
  const offer = (...names: string[]) => {
    for (const name of names) holdback.offer({ name } as unknown as Delivery);
  };
  /** What the broker may have waited before. */
  const offerLate = (name: string) => holdback.offer({ name, mayFollowWait: true } as unknown as Delivery);
  /** The broker has answered so often on the consumer's way. */
  const answer = async (times = 4) => {
    for (let n = 0; n < times; n += 1) {
      answers.shift()?.({});
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    }
  };
  const full = (is: boolean) => {
    isFull = is;
  };
  const look = async (hasPassed = true) => {
    pass(hasPassed);
    await holdback.settled();
  };
  return { holdback, seen, offer, offerLate, look, answer, full };
}

test('what a full queue dropped is told before the first of what came in one go, also where word of it came first', async () => {
  const { holdback, seen, offer, look } = held();
  holdback.due();
  holdback.dropped('overflow');
  offer('a', 'b');
  await look();
  expect(seen).toEqual(['overflow', 'a', 'b']);
});

test('what was dropped behind what is held is told with what follows a settlement, also where that falls among the questions', async () => {
  const { holdback, seen, offer, offerLate, look, answer, full } = held();
  holdback.due();
  offer('a');
  full(true);
  holdback.dropped('overflow');
  await look();
  await answer(2);
  holdback.dueIfFull();
  full(false);
  await answer(2);
  offerLate('b');
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

test('what expired while several were held is told before each of them: nobody says where it was', async () => {
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
  expect(holdback.owed).toEqual({ reason: 'broker-lost', before: 0 });
  expect(holdback.takeAll()).toHaveLength(1);
});

test('what may follow a wait is held, however little is in hand here', async () => {
  const { holdback, seen, offer, offerLate, look } = held();
  offer('a');
  offerLate('b');
  expect(seen).toEqual(['a']);
  holdback.dropped('overflow');
  offer('c');
  await look();
  expect(seen).toEqual(['a', 'overflow', 'b', 'c']);
});

test('word that comes before what was on its way is told before what may have followed it', async () => {
  const { holdback, seen, offer, offerLate, look, answer } = held();
  holdback.dropped('overflow');
  expect(holdback.isAtRest).toBe(false);
  offer('a', 'b');
  offerLate('c');
  await look();
  offerLate('d');
  await look();
  expect(seen).toEqual(['a', 'b', 'overflow', 'c', 'overflow', 'd']);
  // There was room for no more.
  offerLate('e');
  await look();
  expect(seen.slice(6)).toEqual(['e']);
  await answer();
  expect(holdback.isAtRest).toBe(true);
});

test('what expired is told before whatever comes next', async () => {
  const { holdback, seen, offer, look } = held();
  holdback.dropped('expired');
  offer('a');
  await look();
  expect(seen).toEqual(['expired', 'a']);
});

test('if nothing comes that may have followed it, it is told once all is here that was on its way', async () => {
  vi.useFakeTimers();
  const { holdback, seen, offer, answer } = held();
  holdback.dropped('overflow');
  offer('a');
  await answer(2);
  holdback.dropped('overflow');
  await answer(1);
  await vi.advanceTimersByTimeAsync(20);
  await answer(3);
  expect(seen).toEqual(['a']);
  await answer(1);
  expect(seen).toEqual(['a', 'overflow']);
  offer('b');
  expect(seen).toEqual(['a', 'overflow', 'b']);
});

test('while the broker waits it is kept for what comes after that', async () => {
  const { holdback, seen, offer, look, answer, full } = held();
  full(true);
  holdback.dropped('overflow');
  await answer();
  expect(seen).toEqual([]);
  full(false);
  offer('a');
  await look();
  expect(seen).toEqual(['overflow', 'a']);
  offer('b');
  expect(seen).toEqual(['overflow', 'a', 'b']);
});

test('whoever gives the session back says what nobody has been told', async () => {
  const { holdback, seen, offer, answer } = held();
  holdback.dropped('overflow');
  offer('a');
  expect(holdback.owed?.reason).toBe('overflow');
  holdback.takeAll();
  await answer();
  expect(seen).toEqual(['a']);
  expect(holdback.isAtRest).toBe(true);
});
