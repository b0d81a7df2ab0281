import type { Delivery } from '@evenkeel/broker';
import { gapReasons, lossMarks, sealHeader } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
import { Drops } from './drops.js';

/** What comes by `mesh.dropped`, when the test says so. */
function make() {
  let onDelivery: (delivery: Delivery) => void = () => undefined;
  const told: [string, string][] = [];
  const drops = new Drops({
    mesh: {
      ownQueue: (spec: { onDelivery: (delivery: Delivery) => void }) => {
        onDelivery = spec.onDelivery;
        return { isReady: true, counts: async () => undefined };
      },
      publisher: { publish: async () => undefined },
    } as never,
    node: 'e1',
    boot: 'b',
    onDropped: (key, why) => told.push([key, why]),
    now: () => 0,
  });
  const dead = (headers: Record<string, unknown>, reason = 'maxlen') =>
    onDelivery({
      exchange: 'mesh.dropped',
      key: 'user.alice.order',
      body: Buffer.alloc(0),
      properties: { headers: { ...headers, 'x-death': [{ queue: 'session.alice.s1', reason }] } },
      ack: () => undefined,
    } as never);
  return { drops, told, dead };
}

it('tells of each event that was dropped, and why', () => {
  const { drops, told, dead } = make();
  dead({});
  dead({}, 'expired');
  expect(told).toEqual([
    ['alice.s1', gapReasons.overflow],
    ['alice.s1', gapReasons.expired],
  ]);
  expect(drops.whyOf('alice.s1', Number.NEGATIVE_INFINITY)).toBe(gapReasons.expired);
  expect(drops.whyOf('alice.s1', Number.POSITIVE_INFINITY)).toBeUndefined();
});

it('takes a seal for no event, but remembers why it was dropped', () => {
  const { drops, told, dead } = make();
  dead({ [sealHeader]: 'Xf3k' });
  expect(told).toEqual([]);
  expect(drops.whyOf('alice.s1', Number.NEGATIVE_INFINITY)).toBe(gapReasons.overflow);
});

it('tells of a mark that says where events went past the queue', () => {
  const { told, dead } = make();
  dead({ [sealHeader]: lossMarks.begin });
  expect(told).toHaveLength(1);
});
