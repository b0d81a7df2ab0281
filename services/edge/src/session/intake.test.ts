import { gapReasons, lossMarks } from '@evenkeel/protocol';
import { expect, it } from 'vitest';
import { answersWorld } from '../../testing/answers.js';
import { FakeConnection } from '../../testing/fake-connection.js';
import { FakeDrops } from '../../testing/fake-drops.js';
import { QueueModel } from '../../testing/queue-model.js';
import { FakeHandover, settled } from '../../testing/session-world.js';
import { gapFrame } from '../frame/frames.js';
import { Intake } from './intake.js';
import { Outbox } from './outbox.js';
import { anybody } from './release.js';

const window = 4;
const limit = 8;

/** The broker's channel goes after it was asked for nothing more and before it is asked to go on. */
class QueueLostInBetween extends QueueModel {
  isLosing = false;
  onLosing = () => {};

  override async consume(listener: Parameters<QueueModel['consume']>[0]) {
    if (!this.isLosing) return await super.consume(listener);
    this.isLosing = false;
    this.lose();
    this.onLosing();
    listener.onFound(await this.check());
    const consumer = await super.consume(listener);
    listener.onRestored();
    return consumer;
  }
}

function attached(queue: QueueModel): { connection: FakeConnection; outbox: Outbox; intake: Intake } {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection, {
    window,
    highWatermarkBytes: 100,
    maxEventBytes: 1_000,
    keptBytes: 1,
    answers: answersWorld().answers,
    now: () => 0,
    onWritten: () => {},
    onReplied: () => {},
    givenUp: { closed: () => {}, of: () => undefined },
    unsent: { take: (delivery) => delivery.drop() },
    onTooLarge: () => {},
    onExpired: () => {},
    onAway: () => intake.fetchAgain(),
    onSettling: () => intake.settling(),
  });
  const intake: Intake = new Intake({
    claims: { id: 't', uid: 'alice', sid: 's', node: 'e', epoch: 1, expiresAt: 1 },
    queue,
    handover: new FakeHandover([]),
    outbox,
    isBare: false,
    drops: new FakeDrops(),
    maxLength: limit,
    window,
    onDelivering: () => {},
    isTaking: () => true,
    isOpen: () => true,
    isLive: () => true,
    onGap: (reason) => outbox.insert(gapFrame(reason)),
    onEnd: () => {},
    now: () => 0,
  });
  intake.seal.begin({ is: 'fresh' });
  return { connection, outbox, intake };
}

/** It has been sent three events, and takes no more. */
async function stopped() {
  const queue = new QueueModel(limit + 1, window + 1);
  const { outbox, intake } = attached(queue);
  await queue.make();
  await intake.start();
  await settled();
  for (let n = 1; n <= 3; n += 1) queue.publish(n);
  await intake.stop(5);
  return { queue, outbox, intake };
}

it('takes what was delivered as lost where the broker goes while what was kept without a body is fetched again', async () => {
  const queue = new QueueLostInBetween(limit + 1, window + 1);
  const { connection, outbox, intake } = attached(queue);
  await queue.make();
  await intake.start();
  await settled();
  queue.publish(1);
  connection.bufferedBytes = 1_000;
  for (let n = 2; n <= 4; n += 1) queue.publish(n);
  queue.isLosing = true;
  queue.onLosing = () => {
    for (let n = 5; n <= 12; n += 1) queue.publish(n);
  };
  connection.bufferedBytes = 0;
  outbox.flush();
  for (let n = 0; n < 20; n += 1) {
    await settled();
    outbox.ack(outbox.seq);
  }
  await settled();
  const got = connection.frames.map((frame) =>
    frame.t === 'gap' ? 'gap' : `${frame.data}${frame.redelivered ? '!' : ''}`,
  );
  // The seal and the first three went; two of those the client has had.
  expect(got).toEqual(['1', '2', 'gap', '4!', '5', '6', '7', '8', '9', '10', '11', '12']);
});

it('is told nothing of what a queue of before drops, which has come back with a node of the broker', async () => {
  const queue = new QueueModel(limit + 1, window + 1);
  const { connection, intake } = attached(queue);
  await queue.make();
  queue.generation = 1;
  await intake.start();
  await settled();
  queue.publish(1);
  const gaps = () => connection.frames.filter(({ t }) => t === 'gap').length;
  const before = gaps();
  intake.dropped('overflow', 0);
  await settled();
  expect(gaps()).toBe(before);
  intake.dropped('overflow', 1);
  await settled();
  expect(gaps()).toBe(before + 1);
});

/** Its queue goes, and a new one is made in which these marks stand before it is consumed. */
async function madeAnew(...marks: readonly string[]) {
  const queue = new QueueModel(limit + 1, window + 1);
  const { connection, intake } = attached(queue);
  await queue.make();
  await intake.start();
  await settled();
  const { listener } = queue;
  queue.empty();
  await listener?.onFound(undefined, false);
  await queue.make();
  for (const mark of marks) await queue.plant(mark);
  if (marks.length > 0) await listener?.onFound(await queue.check(), false);
  if (listener) await queue.consume(listener);
  listener?.onRestored();
  const told = () => connection.frames.map((frame) => (frame.t === 'gap' ? frame.reason : frame.data));
  return { queue, intake, told };
}

it.each([[[]], [['~lost', '~back']], [['~lost', '~lost', '~back']], [['~back']]])(
  'is told once that its queue has gone, wherever events went past the new one too: marks %j',
  async (marks) => {
    const { queue, intake, told } = await madeAnew(...marks);
    await expect.poll(told).toEqual(['session-expired']);
    queue.publish(1);
    await expect.poll(told).toEqual(['session-expired', 1]);
    expect((await intake.giveBack(anybody)).owed).toBe('session-expired');
  },
);

it('is told so when events go past its new queue no more, or by the first one that does not', async () => {
  const [byMark, byEvent] = await Promise.all([madeAnew('~lost'), madeAnew('~lost')]);
  byEvent.queue.publish(1);
  await expect.poll(byEvent.told).toEqual(['session-expired', 1]);
  expect(byMark.told()).toEqual([]);
  await byMark.queue.plant('~back');
  expect(byMark.told()).toEqual(['session-expired']);
  await byEvent.queue.plant('~back');
  expect(byEvent.told()).toEqual(['session-expired', 1]);
});

it('has whoever comes next tell what it has not, of a queue that has gone and has marks', async () => {
  const { intake } = await madeAnew('~lost');
  expect((await intake.giveBack(anybody)).owed).toBe('session-expired');
});

it('is told that events went past its new queue later, once it has been told that this was new', async () => {
  const { queue, told } = await madeAnew();
  await expect.poll(told).toEqual(['session-expired']);
  for (const mark of ['~lost', '~back']) await queue.plant(mark);
  expect(told()).toEqual(['session-expired', 'broker-lost']);
});

it('says nothing of what was written when its channel has gone after its end, and acknowledgements perhaps with it', async () => {
  const { queue, outbox, intake } = await stopped();
  queue.lose();
  outbox.ack(3);
  const { suspect, written } = await intake.giveBack(anybody);
  expect({ suspect, written }).toEqual({ suspect: undefined, written: undefined });
});

it('says how much was written when its channel is there', async () => {
  const { outbox, intake } = await stopped();
  outbox.ack(1);
  const { suspect, written } = await intake.giveBack(anybody);
  expect({ suspect, written }).toEqual({ suspect: 2, written: { seq: 2, count: 2 } });
});

it('tells what has gone past its queue also behind what got in between the mark and the end of its binding', async () => {
  const queue = new QueueModel(limit + 1, window + 1);
  const { connection, outbox, intake } = attached(queue);
  await queue.make();
  queue.publish(1);
  await queue.plant(lossMarks.begin);
  queue.publish(2);
  queue.publish(3);
  // Whoever was to leave a second mark was cut off; 4 to 6 went past it; it is bound again.
  intake.holdNext((await queue.check())?.messages);
  queue.publish(7);
  queue.publish(8);
  await intake.start();
  for (let n = 0; n < 20; n += 1) {
    await settled();
    outbox.ack(outbox.seq);
  }
  const got = connection.frames.map((frame) => (frame.t === 'gap' ? frame.reason : frame.data));
  expect(got).toEqual([1, gapReasons.brokerLost, 2, 3, gapReasons.brokerLost, 7, 8]);
});

it('tells it once where a second mark is there', async () => {
  const queue = new QueueModel(limit + 1, window + 1);
  const { connection, outbox, intake } = attached(queue);
  await queue.make();
  queue.publish(1);
  await queue.plant(lossMarks.begin);
  await queue.plant(lossMarks.end);
  queue.publish(2);
  intake.holdNext((await queue.check())?.messages);
  queue.publish(3);
  await intake.start();
  for (let n = 0; n < 20; n += 1) {
    await settled();
    outbox.ack(outbox.seq);
  }
  const got = connection.frames.map((frame) => (frame.t === 'gap' ? frame.reason : frame.data));
  expect(got).toEqual([1, gapReasons.brokerLost, 2, 3]);
});
