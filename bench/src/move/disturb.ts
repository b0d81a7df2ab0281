import { subprotocol } from '@evenkeel/protocol';
import { WebSocket } from 'ws';
import type { Fault } from './options.js';
import type { Roster } from './roster.js';

/** Part of the moves that lose their old socket on the way. */
const droppedPart = 0.2;
/** Part of the clients that are slow. */
const slowPart = 0.02;

/** Makes trouble from the clients' side; answers how to stop. Faults of the mesh's processes are made elsewhere. */
export function disturb(roster: Roster, fault: Fault): () => void {
  switch (fault) {
    case 'drop-old-socket':
      return roster.onMoving((subject) => {
        if (Math.random() >= droppedPart) return;
        const [socket] = subject.wire.open;
        setTimeout(() => socket?.terminate(), Math.random() * 20);
      });
    case 'slow-client':
      return slowDown(roster);
    case 'replay-ticket':
      return roster.onMoving((subject) => {
        const { moveTicket } = subject.wire;
        if (!moveTicket || Math.random() > 0.05) return;
        // After the client itself has used it.
        setTimeout(() => replay(roster, moveTicket.url, moveTicket.ticket), 200 + Math.random() * 2_000);
      });
    default:
      return () => {};
  }
}

function replay(roster: Roster, url: string, ticket: string): void {
  const socket = new WebSocket(`${url}?ticket=${ticket}`, [subprotocol]);
  socket.on('open', () => {
    roster.replaysAccepted += 1;
    socket.close();
  });
  socket.on('error', () => {
    roster.replaysRefused += 1;
  });
}

/** One half stops reading for a while and goes on; the other has handlers that take their time. */
function slowDown(roster: Roster): () => void {
  const slow = roster.subjects.filter((_, i) => i % Math.round(1 / slowPart) === 0);
  slow.forEach((subject, i) => {
    if (i % 2 === 0) subject.handlerMs = 100;
  });
  const timer = setInterval(() => {
    for (const [i, subject] of slow.entries()) {
      if (i % 2 === 0 || Math.random() > 0.3) continue;
      const sockets = [...subject.wire.open];
      for (const socket of sockets) socket.pause();
      setTimeout(() => {
        for (const socket of sockets) socket.resume();
      }, 3_000);
    }
  }, 1_000);
  return () => {
    clearInterval(timer);
    for (const subject of slow) subject.handlerMs = 0;
  };
}
