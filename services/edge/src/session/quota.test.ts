import { describe, expect, it } from 'vitest';
import { ClientText } from '../frame/client-text.js';
import { Users } from '../user/users.js';
import { readWithin } from './inbox.js';
import { Load } from './load.js';
import { Quota, type QuotaLimits } from './quota.js';

function make(over: Partial<QuotaLimits> = {}) {
  const clock = { nowMs: 0 };
  const now = () => clock.nowMs;
  const limits = {
    framesPerSecond: 10,
    framesBurst: 20,
    bytesPerSecond: 1_000,
    bytesBurst: 2_000,
    maxWaitingBytes: 100,
    maxWaitingBytesPerUser: 150,
    maxPayloadBytes: 1,
    ...over,
  };
  const users = new Users(
    {
      maxSocketsPerUser: 9,
      framesPerSecond: limits.framesPerSecond,
      framesBurst: limits.framesBurst,
      userFramesPerSecond: 15,
      userFramesBurst: 30,
      userBytesPerSecond: 1_000,
      userBytesBurst: 3_000,
      maxPayloadBytes: 1,
      userTopicsPerSecond: 1,
      userTopicsBurst: 2,
    },
    now,
  );
  const load = new Load();
  const quotaOf = (uid: string) => new Quota(limits, users.enter(uid), load, now);
  return { clock, load, quotaOf, quota: quotaOf('alice') };
}
const times = (count: number, take: () => boolean) =>
  Array.from({ length: count }, take).filter(Boolean).length;

describe('what a connection may send', () => {
  it('is so many frames and bytes at once, and so many a second', () => {
    const { clock, quota } = make();
    expect(times(30, () => quota.takesFrame())).toBe(20);
    expect(times(30, () => quota.takesBytes(100))).toBe(20);
    clock.nowMs = 500;
    expect(times(30, () => quota.takesFrame())).toBe(5);
    expect(times(30, () => quota.takesBytes(100))).toBe(5);
  });

  it('is bounded for a user over all connections, and others have their own', () => {
    const { quotaOf, quota } = make();
    const second = quotaOf('alice');
    expect(times(30, () => quota.takesBytes(100)) + times(30, () => second.takesBytes(100))).toBe(30);
    expect(times(30, () => quota.takesFrame()) + times(30, () => second.takesFrame())).toBe(30);
    const others = quotaOf('bob');
    expect(times(30, () => others.takesBytes(100))).toBe(20);
    expect(times(30, () => others.takesFrame())).toBe(20);
  });

  it('is not used up by what is refused for the sake of the others', () => {
    const { clock, quotaOf, quota } = make();
    const second = quotaOf('alice');
    expect(times(20, () => quota.takesBytes(100))).toBe(20);
    expect(times(90, () => second.takesBytes(100))).toBe(10);
    clock.nowMs = 1_000;
    expect(times(30, () => second.takesBytes(100))).toBe(10);
    clock.nowMs = 2_000;
    expect(times(30, () => second.takesBytes(100))).toBe(10);
  });

  it('is not used up in frames either by what is refused for the sake of the others', () => {
    const { clock, quotaOf, quota } = make();
    const second = quotaOf('alice');
    expect(times(20, () => quota.takesFrame())).toBe(20);
    // Of its own it has twice as many.
    expect(times(90, () => second.takesFrame())).toBe(10);
    clock.nowMs = 1_000;
    expect(times(90, () => second.takesFrame())).toBe(15);
  });

  it('takes one frame of the largest length, however little is allowed', () => {
    const { quota } = make({ bytesBurst: 1, maxPayloadBytes: 500, maxWaitingBytes: 1 });
    expect(quota.takesBytes(500)).toBe(true);
    expect(quota.mayWait(500)).toBe(true);
    expect(quota.mayWait(1)).toBe(false);
  });

  it('may wait for the broker up to so many bytes, of a connection and of a user, until it has been taken', () => {
    const { quotaOf, quota } = make();
    const second = quotaOf('alice');
    expect([quota.mayWait(60), quota.mayWait(60), second.mayWait(90), second.mayWait(1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    quota.settled(60);
    expect([second.mayWait(10), quota.mayWait(50)]).toEqual([true, true]);
  });

  it('ends with the connection where the client goes on for ten seconds, or sends as much at once', () => {
    const { clock, load, quota } = make();
    expect(times(200, () => quota.refuses('frames'))).toBe(100);
    expect(load.refused.frames).toBe(200);
    expect(load.offenders).toBe(100);
    clock.nowMs = 1_000;
    expect(times(20, () => quota.refuses('frames'))).toBe(10);
    clock.nowMs = 60_000;
    expect(times(20, () => quota.refuses('bytes', 82_000))).toBe(9);
  });
});

describe('a frame beyond that', () => {
  const exhausted = () => {
    const made = make();
    while (made.quota.takesBytes(1));
    return made.quota;
  };
  const read = (text: string, state: 'attached' | 'moved' = 'attached') =>
    readWithin(exhausted(), new ClientText(text), state);

  it.each([
    ['{"t":"publish","id":"a\\"b","topic":"x","data":[[', 'a"b'],
    ['{"t": "request", "id": 7, "data": {', '7'],
  ])('is refused by its id without being read: %s', (text, id) => {
    expect(read(text)).toEqual({ is: 'refused', why: 'bytes', id, isRequest: true, bytes: 0 });
  });

  it('is read where its id stands elsewhere, which counts by its length', () => {
    const text = '{"data":[1,2,3],"topic":"x","id":"a","t":"publish"}';
    expect(read(text)).toEqual({ is: 'refused', why: 'bytes', id: 'a', isRequest: true, bytes: text.length });
    expect(read('{"t":"sing","id":"a"}')).toMatchObject({ is: 'refused', id: 'a', isRequest: false });
    expect(read('{"t":"ping"}')).toMatchObject({ is: 'refused', id: undefined, isRequest: false });
    expect(read('{"t":')).toEqual({ is: 'violation' });
  });

  it('is heard all the same where it acknowledges, or says bye', () => {
    expect(read('{"t": "ack", "seq": 1}')).toMatchObject({ is: 'frame', frame: { t: 'ack', seq: 1 } });
    expect(read('{"t":"bye"}')).toMatchObject({ is: 'frame', frame: { t: 'bye' } });
  });

  it('is not answered after moved: it belongs to the next edge', () => {
    const refused = { is: 'refused', id: undefined, isRequest: false };
    expect(read('{"t":"publish","id":"a","topic":"x"}', 'moved')).toMatchObject(refused);
    expect(read('{"topic":"x","t":"publish","id":"a"}', 'moved')).toMatchObject(refused);
  });
});
