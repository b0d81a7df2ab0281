import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { printed } from '../../testing/printed.js';

it('prints a token and the entry that lets it in, which holds its hash alone; another each time', async () => {
  const made = await printed({}, ['console-token', 'ann', '--role', 'operate', '--json']);
  const { token, entry } = JSON.parse(made) as { token: string; entry: string };
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(entry).toBe(`ann:operate:${createHash('sha256').update(token).digest('hex')}`);
  const again = await printed({}, ['console-token', 'ann', '--role', 'operate', '--json']);
  expect(JSON.parse(again)).not.toMatchObject({ token });
  expect(await printed({}, ['console-token', 'vic'])).toMatch(
    /^token {2}\S+\nentry {2}vic:view:[0-9a-f]{64}\n$/,
  );
});
