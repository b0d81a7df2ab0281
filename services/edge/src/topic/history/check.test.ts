import type { Delivery, StreamRecord } from '@evenkeel/broker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HistoryCheck } from './check.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const message = (text: string, key = 'topic.room.42', messageId?: string) =>
  ({ key, body: Buffer.from(text), properties: { messageId, headers: {} } }) as Pick<
    Delivery,
    'key' | 'body' | 'properties'
  >;
const recordOf = (text: string, messageId?: string) =>
  ({ ...message(text), exchange: 'mesh.events', properties: { messageId, headers: {} } }) as StreamRecord;

/** A stream that has what is written to it, and whose probes come at once unless it is held. */
function world() {
  let marks = 0;
  let held: string[] | undefined;
  const check: HistoryCheck = new HistoryCheck({
    namespace: 'room',
    stream: {
      writeProbe: async (id) => {
        if (held !== undefined) held.push(id);
        else check.onRecord(recordOf('', id), false);
      },
      markLoss: async () => {
        marks += 1;
        check.forget();
      },
    },
    now: () => Date.now(),
    log: { warn: () => {} },
  });
  check.start();
  return {
    check,
    marks: () => marks,
    hold: () => {
      held = [];
    },
    letGo: () => {
      for (const id of held?.splice(0) ?? []) check.onRecord(recordOf('', id), false);
      held = undefined;
    },
  };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('finds nothing missing where each message comes both ways, whichever comes first', async () => {
  const { check, marks } = world();
  for (let n = 0; n < 100; n++) {
    const [first, second] = n % 2 === 0 ? ['routed', 'read'] : ['read', 'routed'];
    for (const way of [first, second]) {
      if (way === 'routed') check.onRouted(message(`m${n}`));
      else check.onRecord(recordOf(`m${n}`), true);
    }
    await pass(200);
  }
  await pass(10_000);
  expect([marks(), check.missing]).toEqual([0, 0]);
  check.stop();
});

it('has it marked once when messages are not in the stream, and again when more are not', async () => {
  const { check, marks } = world();
  for (const text of ['a', 'b', 'c']) check.onRouted(message(text));
  check.onRecord(recordOf('b'), true);
  await pass(9_000);
  expect([marks(), check.missing]).toEqual([1, 2]);
  check.onRouted(message('d'));
  await pass(9_000);
  expect([marks(), check.missing]).toEqual([2, 3]);
  check.stop();
});

it('counts equal messages: one in the stream does not stand for two', async () => {
  const { check, marks } = world();
  for (const text of ['same', 'same']) check.onRouted(message(text));
  check.onRecord(recordOf('same'), true);
  await pass(9_000);
  expect([marks(), check.missing]).toEqual([1, 1]);
  check.stop();
});

it('tells the same text to two topics apart', async () => {
  const { check, marks } = world();
  check.onRouted(message('same', 'topic.room.1'));
  check.onRecord(recordOf('same'), true);
  await pass(9_000);
  expect(marks()).toBe(1);
  check.stop();
});

it('waits for a stream that is behind, however long that takes', async () => {
  const { check, marks, hold, letGo } = world();
  hold();
  check.onRouted(message('late'));
  await pass(60_000);
  expect(marks()).toBe(0);
  check.onRecord(recordOf('late'), true);
  letGo();
  await pass(10_000);
  expect([marks(), check.missing]).toEqual([0, 0]);
  check.stop();
});

it('asks again where the broker has not taken the probe or the mark', async () => {
  let refusals = 3;
  let marks = 0;
  const refuse = async () => {
    if (refusals-- > 0) throw new Error('not now');
  };
  const check: HistoryCheck = new HistoryCheck({
    namespace: 'room',
    stream: {
      writeProbe: async (id) => {
        await refuse();
        check.onRecord(recordOf('', id), false);
      },
      markLoss: async () => {
        await refuse();
        marks += 1;
        check.forget();
      },
    },
    now: () => Date.now(),
    log: { warn: () => {} },
  });
  check.start();
  check.onRouted(message('lost'));
  await pass(30_000);
  expect([marks, check.missing]).toEqual([1, 1]);
  check.stop();
});

it('waits once more behind the first probe: each channel sends again by itself what it had on its way', async () => {
  const { check, marks } = world();
  check.onRouted(message('slow'));
  await pass(4_500);
  check.onRecord(recordOf('slow'), true);
  await pass(20_000);
  expect([marks(), check.missing]).toEqual([0, 0]);
  check.stop();
});

it('knows what it has read before others were told of a loss, and that comes by the queue behind it', async () => {
  const { check, marks } = world();
  check.onRecord(recordOf('x'), true);
  check.forget();
  check.onRouted(message('x'));
  await pass(20_000);
  expect(marks()).toBe(0);
  check.stop();
});

it('tells two of the same text apart by their ids', async () => {
  const { check, marks } = world();
  check.onRouted(message('on', undefined, 'id-1'));
  check.onRecord({ ...recordOf('on', 'id-2') }, true);
  await pass(9_000);
  expect(marks()).toBe(1);
  check.stop();
});

it('says it again where the marks themselves have not been read', async () => {
  let marks = 0;
  const check: HistoryCheck = new HistoryCheck({
    namespace: 'room',
    stream: {
      writeProbe: async (id) => check.onRecord(recordOf('', id), false),
      markLoss: async () => {
        marks += 1;
        if (marks === 2) check.forget();
      },
    },
    now: () => Date.now(),
    log: { warn: () => {} },
  });
  check.start();
  check.onRouted(message('lost'));
  await pass(60_000);
  expect([marks, check.missing]).toEqual([2, 1]);
  check.stop();
});

it('forgets what it was owed where one of both begins anew', async () => {
  const { check, marks } = world();
  check.onRouted(message('before'));
  check.forget();
  await pass(10_000);
  expect(marks()).toBe(0);
  check.stop();
});
