import { expect, it } from 'vitest';
import { forget } from './forget.js';

it('a user who is forgotten is disconnected, and the answer says what is left and where', async () => {
  const answer = await forget('alice', {
    ask: async () => ({ replies: [], answered: 1, missing: ['e2'] }),
    denying: { forget: async () => ({ denials: 1 }) },
  } as unknown as Parameters<typeof forget>[1]);
  expect(answer).toMatchObject({ ok: true, user: 'alice', denials: 1, missing: ['e2'] });
  const left = 'left' in answer ? String(answer.left) : '';
  for (const where of ['mesh.denials', 'memory of edges', 'leading balancer', 'logs'])
    expect(left).toContain(where);
});
