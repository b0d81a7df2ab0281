import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Room } from './room.js';

let room: Room;
let entered: string[];
const late = () => new Error('late');
const enter = async (name: string, bytes = 1): Promise<() => void> => {
  const leave = await room.enter(bytes, 1_000, late);
  entered.push(name);
  return leave;
};

beforeEach(() => {
  vi.useFakeTimers();
  room = new Room({ maxMessages: 2, maxBytes: 100 });
  entered = [];
});
afterEach(() => {
  vi.useRealTimers();
});

it('lets so many in at once, and the others in their order as room is made', async () => {
  const leave = await enter('a');
  await enter('b');
  void enter('c');
  void enter('d');
  await vi.advanceTimersByTimeAsync(1);
  expect(entered).toEqual(['a', 'b']);
  leave();
  await vi.advanceTimersByTimeAsync(1);
  expect(entered).toEqual(['a', 'b', 'c']);
});

it('lets so many bytes in at once, and one message whatever it has', async () => {
  const leave = await enter('a', 1_000);
  void enter('b', 60);
  void enter('c', 60);
  leave();
  await vi.advanceTimersByTimeAsync(1);
  expect(entered).toEqual(['a', 'b']);
});

it('refuses who has waited for too long, and lets in who stood behind', async () => {
  await enter('a', 60);
  const refused = expect(enter('b', 60)).rejects.toThrow('late');
  await vi.advanceTimersByTimeAsync(500);
  void enter('c', 40);
  await vi.advanceTimersByTimeAsync(500);
  await refused;
  await vi.advanceTimersByTimeAsync(1);
  expect(entered).toEqual(['a', 'c']);
});
