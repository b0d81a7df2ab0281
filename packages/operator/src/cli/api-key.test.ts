import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { printed } from '../../testing/printed.js';

it('prints a key and the entry that lets it in, which holds its hash alone; another each time', async () => {
  const ask = ['api-key', 'shop', '--scope', 'read', 'publish', '--json'];
  const made = await printed({}, ask);
  const { key, entry } = JSON.parse(made) as { key: string; entry: string };
  expect(key).toMatch(/^[\w-]{43}$/);
  expect(entry).toBe(`shop:publish+read:${createHash('sha256').update(key).digest('hex')}`);
  expect(JSON.parse(await printed({}, ask))).not.toMatchObject({ key });
  expect(await printed({}, ['api-key', 'job'])).toMatch(/^key {4}\S+\nentry {2}job:publish:[0-9a-f]{64}\n$/);
});
