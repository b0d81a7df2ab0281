import { subprotocol } from '@evenkeel/protocol';
import { WebSocket } from 'ws';
import { addOne, type Counts } from './counts.js';
import type { Crowd } from './crowd.js';
import type { ClientFault } from './messages.js';

/** Part of the moves that lose their old socket on the way. */
const droppedPart = 0.2;
/** Part of the clients that are slow. */
const slowPart = 0.02;
/** Part of the moves whose ticket is tried once more. */
const replayedPart = 0.05;

/** Makes trouble from the clients' side, counts it, and answers how to stop. */
export function disturb(crowd: Crowd, fault: ClientFault): () => void {
  const { disturbances } = crowd.tally;
  switch (fault) {
    case 'drop-old-socket':
      return crowd.onMoving((client) => {
        if (Math.random() >= droppedPart) return;
        const [socket] = client.wire.open;
        setTimeout(() => {
          socket?.terminate();
          addOne(disturbances, 'old sockets dropped');
        }, Math.random() * 20);
      });
    case 'slow-client':
      return slowDown(crowd);
    case 'replay-ticket':
      return crowd.onMoving((client) => {
        const { moveTicket } = client.wire;
        if (!moveTicket || Math.random() > replayedPart) return;
        // After the client itself has used it.
        const afterMs = 200 + Math.random() * 2_000;
        setTimeout(() => replay(disturbances, moveTicket.url, moveTicket.ticket), afterMs);
      });
  }
}

function replay(disturbances: Counts, url: string, ticket: string): void {
  const socket = new WebSocket(`${url}?ticket=${ticket}`, [subprotocol]);
  socket.on('open', () => {
    addOne(disturbances, 'replays let in');
    socket.close();
  });
  socket.on('error', () => addOne(disturbances, 'replays refused'));
}

/** One half stops reading for a while and goes on; the other has handlers that take their time. */
function slowDown({ clients, tally }: Crowd): () => void {
  const slow = clients.filter((_, i) => i % Math.round(1 / slowPart) === 0);
  slow.forEach((client, i) => {
    if (i % 2 !== 0) return;
    client.handlerMs = 100;
    addOne(tally.disturbances, 'slow handlers');
  });
  const timer = setInterval(() => {
    for (const [i, client] of slow.entries()) {
      if (i % 2 === 0 || Math.random() > 0.3) continue;
      const sockets = [...client.wire.open];
      for (const socket of sockets) {
        socket.pause();
        addOne(tally.disturbances, 'sockets paused');
      }
      setTimeout(() => {
        for (const socket of sockets) socket.resume();
      }, 3_000);
    }
  }, 1_000);
  return () => {
    clearInterval(timer);
    for (const client of slow) client.handlerMs = 0;
  };
}
