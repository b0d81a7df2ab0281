import { expect, it } from 'vitest';
import { request } from './request.js';

it('refuses data that can be read and not written, and asks nobody', async () => {
  const deep: unknown = JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`);
  const calls = { gather: async () => expect.unreachable() };
  const asked = { user: 'alice', method: 'status', data: deep, want: 'first', id: 'i' } as const;
  await expect(request(asked, { calls })).rejects.toMatchObject({ status: 400, code: 'bad-request' });
});
