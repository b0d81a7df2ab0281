import { expect, it } from 'vitest';
import type { Publisher } from './publisher.js';
import { PublisherLanes } from './publisher-lanes.js';

/** Publishers that write down by which of them each message went. */
function world(most?: number, isNeeded?: () => boolean) {
  const went: string[] = [];
  const open: (() => void)[] = [];
  let made = 0;
  const make = () => {
    const name = made++ === 0 ? 'common' : `lane ${made - 1}`;
    let outstanding = 0;
    const flushed: (() => void)[] = [];
    return {
      get outstanding() {
        return outstanding;
      },
      publish: (_exchange: string, key: string) => {
        went.push(`${name}: ${key}`);
        outstanding += 1;
        return new Promise<string>((resolve) => {
          open.push(() => {
            outstanding -= 1;
            if (outstanding === 0) for (const each of flushed.splice(0)) each();
            resolve('routed');
          });
        });
      },
      flush: () =>
        outstanding === 0 ? Promise.resolve() : new Promise<void>((resolve) => flushed.push(resolve)),
    } as unknown as Publisher;
  };
  const laneOf = (_exchange: string, key: string) => (key.startsWith('own.') ? key.split('.')[1] : undefined);
  const lanes = new PublisherLanes({
    make,
    laneOf,
    ...(most !== undefined && { most }),
    ...(isNeeded && { isNeeded }),
  });
  const confirmAll = () => {
    for (const confirm of open.splice(0)) confirm();
  };
  return { lanes, went, confirmAll };
}

it('sends each lane by a channel of its own, and the rest by the common one', () => {
  const { lanes, went } = world();
  for (const key of ['own.a', 'x', 'own.b', 'own.a.1', 'y']) void lanes.publish('e', key, '');
  expect(went).toEqual(['lane 1: own.a', 'common: x', 'lane 2: own.b', 'lane 1: own.a.1', 'common: y']);
});

it('has no more lanes than it may: what would need another goes by the common channel', () => {
  const { lanes, went } = world(1);
  for (const key of ['own.a', 'own.b', 'own.a']) void lanes.publish('e', key, '');
  expect(went).toEqual(['lane 1: own.a', 'common: own.b', 'lane 1: own.a']);
});

it('is flushed once each of them is, and what came meanwhile as well', async () => {
  const { lanes, confirmAll } = world();
  void lanes.publish('e', 'own.a', '');
  void lanes.publish('e', 'x', '');
  let isFlushed = false;
  const flushing = lanes.flush().then(() => {
    isFlushed = true;
  });
  expect(lanes.outstanding).toBe(2);
  void lanes.publish('e', 'own.late', '');
  await Promise.resolve();
  expect(isFlushed).toBe(false);
  confirmAll();
  await flushing;
  expect(lanes.outstanding).toBe(0);
});

it('has lanes from when they are needed on, for good', () => {
  let isNeeded = false;
  const { lanes, went } = world(undefined, () => isNeeded);
  for (const needed of [false, true, false]) {
    isNeeded = needed;
    void lanes.publish('e', 'own.a', '');
  }
  expect(went).toEqual(['common: own.a', 'lane 1: own.a', 'lane 1: own.a']);
});
