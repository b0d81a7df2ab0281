import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { PacedBuffer, type Slot } from './paced-buffer.js';

/** A channel's buffer that says whether it has room as it is told. */
class Told extends EventEmitter {
  hasRoom = true;
  written = 0;

  write(): boolean {
    this.written++;
    return this.hasRoom;
  }

  end(): void {}
}

const body = (frames: number) => ({ channel: 1, body: Buffer.alloc(frames * 10), longest: 10 });

test('it waits for room also when more is written, and gives up its place only once nothing calls it any more', () => {
  const buffer = new Told();
  const slot: Slot = { buffer };
  const paced = PacedBuffer.in(slot);
  buffer.hasRoom = false;
  paced.writeBody(body(1));
  buffer.hasRoom = true;
  paced.writeBody(body(1));
  expect(PacedBuffer.in(slot)).toBe(paced);
  buffer.emit('drain');
  expect(slot.buffer).toBe(buffer);
  expect(buffer.written).toBe(2);
  expect(buffer.listenerCount('drain')).toBe(0);
});
