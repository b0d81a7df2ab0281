import { expect, it } from 'vitest';
import type { Calls } from './calls.js';
import { disconnect } from './disconnect.js';

const users = { user: async () => expect.unreachable() };
const answeredBy = (body: object) => {
  const calls: Pick<Calls, 'ask'> = { ask: async () => ({ body, text: () => '', headers: {} }) };
  return disconnect({ user: 'alice', id: 'i' }, { calls, users });
};
const refused = (code: string) => answeredBy({ ok: false, error: { code, message: 'why' } });

it.each([
  ['bad-user', 400, 'bad-name'],
  ['bad-command', 400, 'bad-name'],
  ['busy', 503, 'unavailable'],
  ['not-leader', 503, 'unavailable'],
])('a balancer that refuses with %s is told as %i %s', async (code, status, told) => {
  await expect(refused(code)).rejects.toMatchObject({ status, code: told });
});

it('says which sessions have ended, and whether every edge has answered', async () => {
  const session = { session: 's', node: 'e1', since: 1 };
  const answer = { ok: true, user: 'alice', sessions: [session], answered: 1, missing: ['e2'] };
  expect(await answeredBy(answer)).toEqual({ user: 'alice', sessions: ['s'], complete: false });
});
