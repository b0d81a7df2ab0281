import { Transform, type TransformCallback } from 'node:stream';

/** Passes bytes on, unchanged and in order, each piece after a while. */
export class SlowWay extends Transform {
  holdMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(holdMs: number) {
    super();
    this.holdMs = holdMs;
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.holdMs === 0) return done(null, piece);
    this.#timer = setTimeout(() => done(null, piece), this.holdMs);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }
}
