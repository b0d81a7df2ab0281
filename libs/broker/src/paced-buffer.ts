import { bodyFrame } from './roomy-body.js';

/** So many frames of a body in one turn of the event loop. */
const framesPerTurn = 4;

/** What amqplib writes the frames of one channel to. */
interface ChannelBuffer {
  write(bytes: Buffer): boolean;
  end(): void;
  once(event: 'drain', listener: () => void): unknown;
}

/** Where amqplib has it. */
export interface Slot {
  buffer: ChannelBuffer | PacedBuffer;
}

interface Body {
  readonly channel: number;
  readonly body: Buffer;
  /** Of a frame's payload, bytes. */
  readonly longest: number;
}

/** Takes the place of a channel's buffer while a large body goes out through it: what comes meanwhile waits behind that body. */
export class PacedBuffer {
  readonly #slot: Slot;
  readonly #buffer: ChannelBuffer;
  readonly #waiting: (Buffer | Body)[] = [];
  #from = 0;
  #isEnded = false;
  /** Whether it goes on by itself: never twice, or the later one would give up a place that another has taken since. */
  #isDue = false;

  private constructor(slot: Slot, buffer: ChannelBuffer) {
    this.#slot = slot;
    this.#buffer = buffer;
  }

  /** The one that has taken the place in `slot`, or takes it now. */
  static in(slot: Slot): PacedBuffer {
    if (!(slot.buffer instanceof PacedBuffer)) slot.buffer = new PacedBuffer(slot, slot.buffer);
    return slot.buffer;
  }

  /** @returns Whether there is room for more at once. */
  write(bytes: Buffer): boolean {
    this.#waiting.push(bytes);
    return false;
  }

  writeBody(body: Body): boolean {
    this.#waiting.push(body);
    if (!this.#isDue) this.#pump();
    return false;
  }

  /** The channel has ended: the rest of a body is of no use. */
  end(): void {
    this.#isEnded = true;
    for (const each of this.#waiting.splice(0)) if (Buffer.isBuffer(each)) this.#buffer.write(each);
    this.#buffer.end();
  }

  readonly #pump = (): void => {
    this.#isDue = false;
    if (this.#isEnded) return;
    for (let frames = 0; ; ) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      if (Buffer.isBuffer(next)) {
        this.#buffer.write(next);
        this.#waiting.shift();
        continue;
      }
      if (frames === framesPerTurn) {
        this.#isDue = true;
        setImmediate(this.#pump);
        return;
      }
      frames++;
      const hasRoom = this.#buffer.write(this.#frame(next));
      if (this.#from >= next.body.length) {
        this.#from = 0;
        this.#waiting.shift();
      }
      if (!hasRoom) {
        this.#isDue = true;
        this.#buffer.once('drain', this.#pump);
        return;
      }
    }
    this.#slot.buffer = this.#buffer;
  };

  /** The next piece. One write each: frames of other channels may come between two of them, and not into one. */
  #frame({ channel, body, longest }: Body): Buffer {
    const payload = body.subarray(this.#from, this.#from + longest);
    this.#from += payload.length;
    return bodyFrame(channel, body, payload);
  }
}
