import type { Delivery } from '@evenkeel/broker';
import { expect, it } from 'vitest';
import { questionOf, Repeats } from './repeats.js';

const delivery = (properties: object, redelivered = false) =>
  ({ key: 'alice.q', redelivered, properties: { replyTo: 'r', headers: {}, ...properties } }) as Delivery;
const named = (of: Delivery) => questionOf(of) as string;

it('a question that RabbitMQ brings again is the one that is in hand, and no new one once it was answered', () => {
  const repeats = new Repeats();
  const again = delivery({ correlationId: '1' }, true);
  expect(repeats.of(named(again), again, 0)).toBeUndefined();
  repeats.begin(named(again), 'id');
  expect(repeats.of(named(again), again, 0)).toBe('id');
  repeats.end(named(again), 'id', true, 0);
  expect(repeats.of(named(again), again, 59_999)).toBe('over');
  expect(repeats.of(named(again), again, 60_000)).toBeUndefined();
});

it('one that was not asked is asked when it comes again', () => {
  const repeats = new Repeats();
  const again = delivery({ correlationId: '1' }, true);
  repeats.begin(named(again), 'id');
  repeats.end(named(again), 'id', false, 0);
  expect(repeats.of(named(again), again, 0)).toBeUndefined();
});

it('one that is published again under its message_id joins the one in hand, and is asked anew once that is answered', () => {
  const repeats = new Repeats();
  const twice = delivery({ messageId: 'm' });
  repeats.begin(named(twice), 'id');
  expect(repeats.of(named(twice), twice, 0)).toBe('id');
  repeats.end(named(twice), 'id', true, 0);
  expect(repeats.of(named(twice), twice, 0)).toBeUndefined();
});

it('another question under the same correlation_id is another', () => {
  const repeats = new Repeats();
  const first = delivery({ correlationId: 'same' });
  repeats.begin(named(first), 'id');
  expect(repeats.of(named(first), first, 0)).toBeUndefined();
  expect(questionOf(delivery({}))).toBeUndefined();
});

it('no more than 10,000 answered ones are remembered, the newest', () => {
  const repeats = new Repeats();
  for (let n = 0; n <= 10_000; n += 1) {
    repeats.begin(`${n}`, 'id');
    repeats.end(`${n}`, 'id', true, 0);
  }
  const again = delivery({}, true);
  expect([repeats.of('0', again, 0), repeats.of('1', again, 0)]).toEqual([undefined, 'over']);
});
