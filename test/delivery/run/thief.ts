import WebSocket from 'ws';

const patienceMs = 5_000;

/** Whether an edge lets somebody in with a ticket that has been used. */
export function isTakenAgain(url: string, ticket: string): Promise<boolean> {
  const socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`, 'evenkeel.v1', {
    handshakeTimeout: patienceMs,
  });
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.terminate();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
