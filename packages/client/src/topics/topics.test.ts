import type { GapFrame, MessageFrame } from '@evenkeel/protocol';
import { beforeEach, expect, it } from 'vitest';
import type { StatusFeed } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { Topics } from './topics.js';

const [a, b] = [{}, {}] as [EdgeSocket, EdgeSocket];
const message = (id: string): MessageFrame =>
  ({ t: 'message', topic: 'news', id, at: 0, data: id }) as MessageFrame;
const gap: GapFrame = { t: 'gap', topic: 'news', reason: 'broker-lost' };

let topics: Topics;
let told: string[];

beforeEach(() => {
  told = [];
  const status = { emit: ({ type }: { type: string }) => void told.push(type) } as unknown as StatusFeed;
  topics = new Topics(status, 512);
  topics.add('news', ({ id }) => void told.push(id));
  topics.restart(a);
});

/** What is told of a move from `a`, which has said what is in `old`, to `b`, which has brought the rest, `|` being the mark. */
function moved(old: string, fresh: string): string {
  for (const id of old) topics.receive(a, id === '-' ? gap : message(id));
  for (const id of fresh) {
    if (id === '|') topics.receive(b, { t: 'mark', mark: 'k' });
    else topics.receive(b, id === '-' ? gap : message(id));
  }
  topics.takeLive(b, true, 'k');
  topics.finish();
  return told.map((what) => (what === 'gap' ? '-' : what)).join('');
}

it('hands on what only the new socket has brought, behind what the old one has', () => {
  expect(moved('ab', 'ab|c')).toBe('abc');
});

it('leaves out what is older than what the old socket has sent behind its gap, and tells that gap again', () => {
  expect(moved('a-d', 'bcd|e')).toBe('a-d-e');
});

it('the same where the new socket has a gap there and repeats none of it: what is before the mark is older', () => {
  expect(moved('a-d', 'bc-|e')).toBe('a-d--e');
});

it('hands it on where the old socket sent nothing behind its gap', () => {
  expect(moved('a-', 'bcd|e')).toBe('a-bcde');
});
