import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  actions,
  claims,
  everything,
  GuardedMesh,
  isExpected,
  names,
  opposite,
  passOf,
} from '../support/client-permissions.js';
import { comeTo, SessionUnderTest } from '../support/edge.js';

let world: GuardedMesh;
beforeAll(async () => {
  world = await GuardedMesh.open();
}, 60_000);
afterAll(() => world.close());

type Attached = Awaited<ReturnType<GuardedMesh['attach']>>;
type Grants = (typeof claims)[string];

/** Has the session go from edge a to b, whose client presents `pass` there. */
async function move({ session, client }: Attached, pass: string, topics: string[] = []): Promise<RawClient> {
  const second = await world.mesh.follow(session, client, world.a, world.b, { pass, topics });
  await second.frame('welcome');
  return second;
}

const subscribed = (uid: string) => names(uid).map(({ name }) => name);

/** Ways to a connection of a session whose token has a claim. */
const circumstances: Readonly<
  Record<string, (grants: Grants) => Promise<{ session: SessionUnderTest; client: RawClient }>>
> = {
  fresh: (grants) => world.attach(grants),
  moved: async (grants) => {
    const attached = await world.attach(grants);
    return { session: attached.session, client: await move(attached, attached.pass) };
  },
  refreshed: async (grants) => {
    const { session, client } = await world.attach(opposite);
    await world.refresh(session, client, grants);
    return { session, client };
  },
  revoked: async (grants) => {
    const { session, client } = await world.attach(everything);
    for (const name of subscribed(session.uid))
      client.send({ t: 'subscribe', id: `had ${name}`, topic: name });
    for (const name of subscribed(session.uid)) await client.answer(`had ${name}`);
    await world.refresh(session, client, grants);
    return { session, client };
  },
  'resumed elsewhere': async (grants) => {
    const { session, client, pass, hold } = await world.attach(grants);
    client.terminate();
    const hello = { resume: true, pass };
    return { session, client: await session.attach(world.b, hello, { pass: hold, from: 'a' }) };
  },
};

/** What a live mesh has answered, by circumstance, claim, action and name; names without the user's id. */
const seen = new Map<string, string>();
const cell = (...words: string[]): string => words.join(' / ');
const shown = (name: string, uid: string) => name.replace(uid, '<uid>');

async function askAll(circumstance: string, claim: string): Promise<void> {
  const { session, client } =
    (await (circumstances[circumstance] ?? circumstances.fresh)?.(claims[claim])) ?? {};
  if (session === undefined || client === undefined) throw new Error(`no way is known to ${circumstance}`);
  const asked = names(session.uid).flatMap(({ name }) =>
    actions.map((action) => {
      const id = `${action} ${name}`;
      const where = action === 'request' ? { method: name } : { topic: name };
      client.send({ t: action, id, ...where, ...(action !== 'subscribe' && { data: 1 }) });
      return { id, action, name };
    }),
  );
  const hasCome = ({ action, name }: { action: string; name: string }) =>
    world.carried.has(`${action} ${name} ${session.sid}`);
  const answered = await Promise.all(
    asked.map(async (each) => ({ ...each, answer: await client.answer(each.id) })),
  );
  // A publish is confirmed before it has come. Behind the last that is to come, what was refused would have come as well.
  const isDue = (each: (typeof answered)[number]) => each.action !== 'subscribe' && each.answer.t === 'ok';
  await vi.waitFor(() => expect(answered.filter(isDue).every(hasCome)).toBe(true), 10_000).catch(() => {});
  for (const { action, name, answer } of answered) {
    const outcome = answer.t === 'ok' ? 'allowed' : answer.code === 'forbidden' ? 'refused' : answer.code;
    const isCome = hasCome({ action, name });
    const isCarried = action === 'subscribe' || isCome === (outcome === 'allowed');
    seen.set(
      cell(circumstance, claim, action, shown(name, session.uid)),
      isCarried ? outcome : `${outcome}, but ${isCome ? 'carried' : 'not carried'}`,
    );
  }
  if (circumstance === 'revoked') {
    const gone = client.of('unsubscribed').map(({ topic }) => shown(String(topic), session.uid));
    seen.set(cell('taken away', claim), gone.sort().join(' '));
  }
  await client.close();
}

describe('what a client may do', () => {
  beforeAll(async () => {
    const all = Object.keys(circumstances).flatMap((each) =>
      Object.keys(claims).map((claim) => askAll(each, claim)),
    );
    await Promise.all(all);
  }, 60_000);

  describe.each(Object.keys(circumstances))('%s', (circumstance) => {
    describe.each(Object.entries(claims))('%s', (claim, grants) => {
      describe.each(names('<uid>'))('$name', ({ name, ...what }) => {
        it.each(actions)('%s', (action) => {
          const expected = isExpected(what, grants, action) ? 'allowed' : 'refused';
          expect(seen.get(cell(circumstance, claim, action, name))).toBe(expected);
        });
      });
    });
  });

  it.each(Object.entries(claims))(
    '%s: what is granted no longer is taken away, and no more',
    (claim, grants) => {
      const had = names('<uid>').filter((what) => isExpected(what, everything, 'subscribe'));
      const gone = had.filter((what) => !isExpected(what, grants, 'subscribe')).map(({ name }) => name);
      expect(seen.get(cell('taken away', claim))).toBe(gone.sort().join(' '));
    },
  );
});

describe('a pass', () => {
  it('that is older than the session’s own cannot come back by a move', async () => {
    const attached = await world.attach(everything, { topics: ['claim.x'] });
    await world.refresh(attached.session, attached.client, opposite);
    expect(await attached.client.frame('unsubscribed')).toMatchObject({
      topic: 'claim.x',
      reason: 'revoked',
    });
    const second = await move(attached, attached.pass, ['claim.x']);
    expect(await second.frame('error')).toMatchObject({ code: 'forbidden', topic: 'claim.x' });
  });

  it('that was renewed behind a move counts there, though its client presents the one before', async () => {
    const attached = await world.attach(opposite);
    const { session, client } = attached;
    const { ticket } = await world.mesh.askToMove(session, client, world.a, world.b);
    await world.refresh(session, client, { subscribe: ['claim.#'] });
    const second = await comeTo(world.b, ticket, { pass: attached.pass });
    await second.frame('welcome');
    second.send({ t: 'subscribe', id: 's', topic: 'claim.x' });
    expect((await second.answer('s')).t).toBe('ok');
  });

  it('counts also where the ticket names none, as that of an older edge; without one an edge that asks for tokens grants nothing', async () => {
    const session = new SessionUnderTest('of-older-edge');
    const { pass } = passOf(session, { subscribe: ['claim.#'] });
    const client = await session.attach(world.a, { pass, topics: ['claim.x', 'other.x'] });
    client.send({ t: 'subscribe', id: 's', topic: 'claim.y' });
    expect((await client.answer('s')).t).toBe('ok');
    expect(client.of('error')).toMatchObject([{ code: 'forbidden', topic: 'other.x' }]);
    const bare = await new SessionUnderTest('no-pass').attach(world.a, { topics: ['anyone.x'] });
    expect(await bare.frame('error')).toMatchObject({ code: 'forbidden', topic: 'anyone.x' });
  });

  it('is told of before its end, and the socket is closed with 4011 within 2 s of that', async () => {
    const { client, hold } = await world.attach(undefined, {}, 4_000);
    const { inMs } = await client.frame('expiring');
    expect(Number(inMs)).toBeLessThanOrEqual(2_000);
    expect(client.ended).toBeUndefined();
    expect(await client.closed).toEqual({ code: 4011, reason: 'token-expired' });
    const lateMs = Date.now() - hold.exp;
    expect(lateMs).toBeLessThan(2_000);
  });

  it('that is renewed in time keeps the socket', async () => {
    const { session, client } = await world.attach(undefined, {}, 3_500);
    await client.frame('expiring');
    await world.refresh(session, client, everything);
    const later = await world.attach(undefined, {}, 3_500);
    await later.client.closed;
    expect(client.isOpen).toBe(true);
  });
});

describe('the rules', () => {
  it('are read again on SIGHUP: what they forbid now is taken away, and a file that is wrong changes nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'namespaces-'));
    world.mesh.defer(() => rm(folder, { recursive: true }));
    const file = join(folder, 'namespaces.json');
    const write = (subscribe: string) =>
      writeFile(file, JSON.stringify({ namespaces: { '*': { subscribe } } }));
    await write('anyone');
    const edge = await world.mesh.edge('c', { NAMESPACES: file, AUTH: 'jwt' });
    const session = new SessionUnderTest('reloading');
    const { pass, hold } = passOf(session, undefined);
    const client = await session.attach(edge, { pass, topics: ['room.1'] }, { pass: hold });
    await write('nonsense');
    edge.member.reload();
    await client.until('the refusal of the file', () => edge.hasLogged('reload failed'));
    await write('nobody');
    edge.member.reload();
    expect(await client.frame('unsubscribed')).toMatchObject({ topic: 'room.1', reason: 'revoked' });
    client.send({ t: 'subscribe', id: 's', topic: 'room.1' });
    expect(await client.answer('s')).toMatchObject({ code: 'forbidden' });
  });
});
