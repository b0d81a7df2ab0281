import { Socket } from 'node:net';
import type { ChannelModel } from 'amqplib';

/** The socket under a connection; amqplib's types do not name it. */
function socketOf(model: ChannelModel): Socket | undefined {
  const { connection } = model;
  return 'stream' in connection && connection.stream instanceof Socket ? connection.stream : undefined;
}

/** amqplib only half-closes: towards a silent peer the socket would linger and keep the process alive. */
export function destroyStream(model: ChannelModel): void {
  socketOf(model)?.destroy();
}

/** What writes to a connection past amqplib, in whole frames; what comes once the connection has gone is dropped. */
export function writerOf(model: ChannelModel): ((bytes: Buffer) => void) | undefined {
  const socket = socketOf(model);
  return (
    socket &&
    ((bytes) => {
      if (socket.writable) socket.write(bytes);
    })
  );
}

/** Shortest time between two writes of gathered frames, ms. */
const gatherMs = 2;

/**
 * amqplib writes every frame by itself. Gathered they cost one system call, here and at the broker: those of one turn of
 * the event loop always, and under load those of `gatherMs`. After a quiet moment nothing waits.
 */
export function gatherWrites(model: ChannelModel): void {
  const socket = socketOf(model);
  if (!socket) return;
  const write = socket.write;
  let isCorked = false;
  let writtenAtMs = 0;
  const uncork = () => {
    isCorked = false;
    writtenAtMs = performance.now();
    socket.uncork();
  };
  socket.write = function gathered(this: Socket, ...args: Parameters<typeof write>) {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      if (performance.now() - writtenAtMs >= gatherMs) process.nextTick(uncork);
      else setTimeout(uncork, gatherMs);
    }
    return write.apply(this, args);
  } as typeof write;
}
