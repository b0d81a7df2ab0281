import { describe, expect, it } from 'vitest';
import { Users } from './users.js';

const usersOf = () =>
  new Users(
    {
      maxSocketsPerUser: 2,
      framesPerSecond: 1,
      framesBurst: 30,
      userFramesPerSecond: 10,
      userFramesBurst: 20,
      userBytesPerSecond: 10,
      userBytesBurst: 100,
      maxPayloadBytes: 10,
      userTopicsPerSecond: 1,
      userTopicsBurst: 2,
    },
    () => 0,
  );

describe('users of an edge', () => {
  it('have so many sockets each at most, and a closed one makes room', () => {
    const users = usersOf();
    users.enter('alice');
    expect(users.hasRoom('alice')).toBe(true);
    users.enter('alice');
    expect(users.hasRoom('alice')).toBe(false);
    expect(users.hasRoom('bob')).toBe(true);
    expect(users.refused).toBe(1);
    users.leave('alice');
    expect(users.hasRoom('alice')).toBe(true);
  });

  it('share what they may send over their connections, and do not begin anew by coming back', () => {
    const users = usersOf();
    expect(users.enter('alice').bytes.tryTake(60)).toBe(true);
    expect(users.enter('alice').bytes.tryTake(60)).toBe(false);
    users.leave('alice');
    users.leave('alice');
    expect(users.enter('alice').bytes.tryTake(60)).toBe(false);
    expect(users.enter('bob').bytes.tryTake(60)).toBe(true);
  });

  it('may send as many frames as one connection, however few a user is allowed', () => {
    const { frames } = usersOf().enter('alice');
    expect(Array.from({ length: 40 }, () => frames.tryTake()).filter(Boolean)).toHaveLength(30);
  });

  it('are forgotten once 10,000 others have been here since', () => {
    const users = usersOf();
    users.enter('alice').bytes.tryTake(100);
    users.leave('alice');
    for (let n = 0; n < 10_000; n += 1) {
      users.enter(`u${n}`);
      users.leave(`u${n}`);
    }
    expect(users.enter('alice').bytes.tryTake(100)).toBe(true);
  });
});
