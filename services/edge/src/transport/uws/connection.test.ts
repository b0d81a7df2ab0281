import type { TicketClaims } from '@evenkeel/ticket';
import { expect, it, vi } from 'vitest';
import { noCounts } from '../counts.js';
import { UwsConnection } from './connection.js';

it('says that there is room as soon as there is some, where messages were dropped, and else at the high watermark', () => {
  const ws = { getBufferedAmount: () => buffered };
  let buffered = 90;
  const claims = { uid: 'alice', sid: 's' } as TicketClaims;
  const connection = new UwsConnection(
    ws as never,
    { claims, isBare: false } as never,
    () => '127.0.0.1',
    { highWatermarkBytes: 40, maxBufferedBytes: 100, now: () => 1 },
    noCounts(),
  );
  const onDrain = vi.fn(() => void connection.takeDropped());
  connection.owner = { onFrame: vi.fn(), onIgnored: vi.fn(), onDrain, onClose: vi.fn() };
  connection.drained();
  expect(onDrain).not.toHaveBeenCalled();
  connection.dropped(new ArrayBuffer(10));
  connection.drained();
  expect(onDrain).toHaveBeenCalledTimes(1);
  expect(connection.slowSinceMs).toBe(1);
  // It is told.
  connection.drained();
  expect(onDrain).toHaveBeenCalledTimes(1);
  buffered = 40;
  connection.drained();
  expect(onDrain).toHaveBeenCalledTimes(2);
  expect([connection.slowSinceMs, connection.roomBytes]).toEqual([undefined, 60]);
});
