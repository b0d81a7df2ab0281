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

/** One read from the broker, bytes at most. */
const readBytes = 262_144;

/**
 * A socket of Node.js allocates 64 KiB for each read and gives back what it did not need. Here all reads of a connection share one
 * buffer, and what has come is copied out of it: cheaper for small frames, and a large body comes in a quarter of the reads.
 */
export class SharedReads {
  /** Takes what it can use at once from the start of what was read, and returns how many bytes that were. */
  take: (read: Buffer) => number = () => 0;
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes);

  /** Takes what `take` has no use for. */
  orElse(other: (read: Buffer) => number): void {
    const { take } = this;
    this.take = (read) => take(read) || other(read);
  }

  /** For the socket; amqplib passes it on, and its types do not name it. */
  get socketOptions() {
    const reads = this;
    const onread = {
      buffer: this.#buffer,
      callback(this: Socket, length: number): boolean {
        const read = reads.#buffer.subarray(0, length);
        // What waits to be read comes first.
        const taken = this.readableLength === 0 ? reads.take(read) : 0;
        return taken === length || this.push(Buffer.from(read.subarray(taken)));
      },
    };
    return { onread };
  }
}
