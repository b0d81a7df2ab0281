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

test('one that has finished does not give up the place that the next one has taken, however late it hears of room', async () => {
  const buffer = new Told();
  const slot: Slot = { buffer };
  const first = new PacedBuffer(slot, buffer);
  slot.buffer = first;
  buffer.hasRoom = false;
  first.writeBody(body(1));
  buffer.hasRoom = true;
  first.writeBody(body(1));
  if (slot.buffer !== first) {
    const next = new PacedBuffer(slot, buffer);
    slot.buffer = next;
    next.writeBody(body(10));
    buffer.emit('drain');
    expect(slot.buffer).toBe(next);
  }
  buffer.emit('drain');
  for (let turns = 0; turns < 10 && slot.buffer !== buffer; turns++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(slot.buffer).toBe(buffer);
  expect(buffer.written).toBe(2);
});
