import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Listening sockets come first in these. */
const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
const maxBytes = 65_536;
/** The state of a listening socket, as these files have it. */
const listenState = '0A';

/** Whether the system hands connections that a closed listening socket has not accepted to another one of its port: Linux 5.14. */
export function handsOver(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

/** Whether nobody waits to be accepted at `port`, as far as the system says. */
export function isQueueEmpty(port: number): boolean {
  return tables.every((file) => waiting(beginningOf(file), port) === 0);
}

/** How many wait at the listening sockets of `port`, by a table of Linux. */
export function waiting(table: string, port: number): number {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let sum = 0;
  for (const line of table.split('\n')) {
    const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
    // `tx_queue:rx_queue`; the second is the length of the queue.
    if (local.endsWith(ending) && state === listenState) sum += Number.parseInt(queues.slice(9), 16) || 0;
  }
  return sum;
}

function beginningOf(file: string): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const bytes = Buffer.allocUnsafe(maxBytes);
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, maxBytes, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}
