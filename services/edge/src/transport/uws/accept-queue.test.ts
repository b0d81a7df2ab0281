import { expect, test } from 'vitest';
import { waiting } from './accept-queue.js';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1FA5 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 1163 1 0 100 0 0 10 0
   1: 00000000:1FA5 00000000:0000 0A 00000000:0000000A 00:00000000 00000000     0        0 1164 1 0 100 0 0 10 0
   2: 00000000:1FA6 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 1165 1 0 100 0 0 10 0
   3: 0100007F:1FA5 0100007F:9D67 01 00000000:00000007 00:00000000 00000000     0        0 1166 1 0 100 0 0 10 0`;

test('who waits to be accepted is counted over all listening sockets of the port, and of no other', () => {
  expect(waiting(table, 8101)).toBe(13);
  expect(waiting(table, 8102)).toBe(1);
  expect(waiting('', 8101)).toBe(0);
});
