import { beforeEach, expect, it, vi } from 'vitest';
import { outboxWorld } from '../../testing/outbox-world.js';

const acked = vi.fn<(atMs: number, wallMs: number) => void>();
beforeEach(() => acked.mockReset());

/** Every second event is measured. */
const make = (over: Parameters<typeof outboxWorld>[0] = {}) => {
  let n = 0;
  const onEvent = () => {
    n += 1;
    return n % 2 === 0 ? n * 1_000 : undefined;
  };
  return outboxWorld({ onEvent, onMeasured: acked, ...over });
};

it('an event that is measured is told when its client has acknowledged it, and no other', () => {
  const { outbox, offer } = make();
  offer(1, 4);
  outbox.ack(1);
  expect(acked).not.toHaveBeenCalled();
  outbox.ack(2);
  expect(acked.mock.calls).toEqual([[2_000, expect.any(Number)]]);
  outbox.ack(4);
  outbox.ack(4);
  expect(acked.mock.calls.map(([atMs]) => atMs)).toEqual([2_000, 4_000]);
});

it('what the broker has again, and what nobody acknowledges, is not told', () => {
  const lost = make();
  lost.offer(1, 2);
  lost.outbox.forget();
  lost.outbox.ack(2);
  const written = make({ ackMode: 'write' });
  written.offer(1, 2);
  written.outbox.ack(2);
  expect(acked).not.toHaveBeenCalled();
});
