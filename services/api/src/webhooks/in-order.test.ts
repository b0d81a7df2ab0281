import { expect, it } from 'vitest';
import { InOrder } from './in-order.js';

it('does what has one key in order, though the first takes long, and keeps no other key waiting', async () => {
  const inOrder = new InOrder();
  const done: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  inOrder.push('a', async () => {
    await held;
    done.push('a1');
  });
  inOrder.push('a', async () => void done.push('a2'));
  inOrder.push('b', async () => void done.push('b1'));
  await expect.poll(() => done).toEqual(['b1']);
  release();
  await inOrder.idle();
  expect(done).toEqual(['b1', 'a1', 'a2']);
  expect(inOrder.size).toBe(0);
});
