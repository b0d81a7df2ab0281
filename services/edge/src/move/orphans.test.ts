import type { TicketClaims } from '@evenkeel/ticket';
import { expect, it } from 'vitest';
import { SessionWorld } from '../../testing/session-world.js';
import { keepOrphan } from './orphans.js';

const claims: TicketClaims = { id: 't', uid: 'alice', sid: 's', node: 'edge-1', epoch: 5, expiresAt: 1 };
const left = { position: undefined, isLasting: false, suspect: 1, owed: 'overflow' } as const;

it('a session whose client has gone while it came waits here for its end, and for who comes next', () => {
  const world = new SessionWorld();
  keepOrphan(claims, left, false, world);
  expect(world.told).toEqual(['detached']);
  expect(world.life.away).toBe(1);
  expect(world.leftBehind.of('alice.s')).toMatchObject({ owed: 'overflow' });
});

it('applications that know it as away are not told again, and a client that is back is not given what was left before', async () => {
  const world = new SessionWorld();
  await world.attach({}, { uid: 'alice', sid: 's', epoch: 9 });
  const before = [...world.told];
  keepOrphan(claims, left, true, world);
  expect(world.told).toEqual(before);
  expect(world.life.away).toBe(0);
  expect(world.leftBehind.of('alice.s')).toBeUndefined();
});
