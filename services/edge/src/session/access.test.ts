import { describe, expect, it } from 'vitest';
import { AccessWorld, rulesOf } from '../../testing/access-world.js';
import { SessionWorld, settled } from '../../testing/session-world.js';

const jwt = { '*': {} };
const framesOf = (connection: { sent: readonly string[] }): Record<string, unknown>[] =>
  connection.sent.map((text) => JSON.parse(text)).filter(({ t }) => t !== 'welcome');

/** A session of alice's whose token grants this. */
async function attach(
  access: AccessWorld,
  grants: Parameters<AccessWorld['pass']>[0],
  { lifeMs = 60_000, hello = {} }: { lifeMs?: number; hello?: object } = {},
) {
  const world = new SessionWorld({}, access);
  const { pass, hold } = access.pass(grants, lifeMs);
  const attached = await world.attach({ pass, ...hello }, { pass: hold });
  return { world, hold, ...attached };
}

describe('what a session may do', () => {
  it('is what its token grants; the rest is answered with forbidden, and the connection goes on', async () => {
    const access = new AccessWorld(jwt);
    const grants = { subscribe: ['room.#'], publish: ['room.*'], request: ['shop.buy'] };
    const { connection, world } = await attach(access, grants, { hello: { topics: ['room.1', 'prices'] } });
    connection.receive({ t: 'subscribe', id: '1', topic: 'room' });
    connection.receive({ t: 'subscribe', id: '2', topic: 'rooms' });
    connection.receive({ t: 'publish', id: '3', topic: 'room.1', data: 1 });
    connection.receive({ t: 'publish', id: '4', topic: 'shop.buy', data: 1 });
    connection.receive({ t: 'request', id: '5', method: 'room.1', data: 1 });
    connection.receive({ t: 'request', id: '6', method: 'shop.buy', data: 1 });
    await settled();
    expect(world.inbound.carried.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'publish room.1',
      'request shop.buy',
    ]);
    expect(world.topics.joined).toEqual(['room.1', 'room']);
    const refused = framesOf(connection).filter(({ t }) => t === 'error');
    expect(refused).toMatchObject([
      { code: 'forbidden', topic: 'prices' },
      { code: 'forbidden', re: '2' },
      { code: 'forbidden', re: '4' },
      { code: 'forbidden', re: '5' },
    ]);
    expect(refused[0]).not.toHaveProperty('re');
    expect(connection.isOpen).toBe(true);
    expect(access.edge.forbidden).toEqual({ subscribe: 2, publish: 1, request: 1 });
  });

  it('is nothing where the ticket names a pass that the client does not show, and everything without tokens', async () => {
    const access = new AccessWorld();
    const world = new SessionWorld({}, access);
    const older = access.pass({ subscribe: ['#'] });
    const { hold } = access.pass({ subscribe: ['#'] });
    for (const pass of [undefined, older.pass, 'nonsense']) {
      const { connection } = await world.attach({ pass, topics: ['a'] }, { pass: hold });
      expect(framesOf(connection), String(pass)).toMatchObject([{ code: 'forbidden', topic: 'a' }]);
    }
    const { connection } = await new SessionWorld().attach({ topics: ['a'] });
    expect(framesOf(connection)).toEqual([]);
  });

  it('is nothing without a pass where the edge knows that clients have tokens', async () => {
    const world = new SessionWorld({}, new AccessWorld(undefined, true));
    const { connection } = await world.attach({ topics: ['a'] });
    expect(framesOf(connection)).toMatchObject([{ code: 'forbidden', topic: 'a' }]);
  });

  it('is asked of the application where the rules say so, and asked again when its time is over', async () => {
    const access = new AccessWorld({ room: { subscribe: 'service', publish: 'hook' } });
    let allow = true;
    access.answers = () => ({ is: 'answer', body: { allow, ttlMs: 5_000 } });
    const { connection, world, session } = await attach(access, undefined);
    connection.receive({ t: 'subscribe', id: '1', topic: 'room.1' });
    connection.receive({ t: 'publish', id: '2', topic: 'room.1' });
    await settled();
    expect(framesOf(connection)).toEqual([
      { t: 'ok', re: '1' },
      { t: 'ok', re: '2' },
    ]);
    expect(access.asked.map(({ key, body }) => [key, body])).toEqual([
      ['$authorize.subscribe.room.1', { user: 'alice', session: 's', action: 'subscribe', topic: 'room.1' }],
      ['hook', { user: 'alice', session: 's', action: 'publish', topic: 'room.1' }],
    ]);
    world.nowMs += 4_000;
    session.sweep(world.nowMs);
    expect(access.asked).toHaveLength(2);
    allow = false;
    access.nowMs += 5_000;
    world.nowMs += 1_000;
    session.sweep(world.nowMs);
    await settled();
    expect(framesOf(connection)[2]).toEqual({ t: 'unsubscribed', topic: 'room.1', reason: 'service' });
    expect(world.topics.joined).toEqual([]);
  });

  it('is refused where nobody answers; a topic that was allowed until now is told as expired', async () => {
    const access = new AccessWorld({ room: { subscribe: 'service' } });
    const { connection, world, session } = await attach(access, undefined, { lifeMs: 600_000 });
    connection.receive({ t: 'subscribe', id: '1', topic: 'room.1' });
    await settled();
    access.answers = () => ({ is: 'answer', body: { allow: true } });
    connection.receive({ t: 'subscribe', id: '2', topic: 'room.1' });
    await settled();
    access.answers = () => ({ is: 'silent' });
    access.nowMs += 60_000;
    world.nowMs = access.nowMs;
    session.sweep(world.nowMs);
    await settled();
    expect(framesOf(connection)).toMatchObject([
      { code: 'forbidden', re: '1' },
      { t: 'ok', re: '2' },
      { t: 'unsubscribed', topic: 'room.1', reason: 'expired' },
    ]);
  });

  it('is asked again for 30 s where it cannot be asked, before a topic is taken away', async () => {
    const access = new AccessWorld({ room: { subscribe: 'service', publish: 'service' } });
    const { connection, world, session } = await attach(access, undefined, { lifeMs: 600_000 });
    access.answers = () => ({ is: 'answer', body: { allow: true, ttlMs: 1_000 } });
    connection.receive({ t: 'subscribe', id: '1', topic: 'room.1' });
    await settled();
    access.answers = () => ({ is: 'unavailable' });
    const seconds = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        access.nowMs += 1_000;
        world.nowMs = access.nowMs;
        session.sweep(world.nowMs);
        await settled();
      }
    };
    await seconds(30);
    expect(access.asked).toHaveLength(31);
    expect(framesOf(connection)).toHaveLength(1);
    access.answers = () => ({ is: 'answer', body: { allow: true, ttlMs: 1_000 } });
    await seconds(1);
    access.answers = () => ({ is: 'unavailable' });
    await seconds(30);
    expect(framesOf(connection)).toHaveLength(1);
    connection.receive({ t: 'subscribe', id: '2', topic: 'room.2' });
    connection.receive({ t: 'publish', id: '3', topic: 'room.3' });
    await settled();
    await seconds(1);
    expect(framesOf(connection).slice(1)).toMatchObject([
      { re: '2', code: 'broker-unavailable' },
      { re: '3', code: 'broker-unavailable' },
      { t: 'unsubscribed', topic: 'room.1', reason: 'expired' },
    ]);
  });

  it('is asked about 200 topics a second where the rules change, and the others keep theirs meanwhile', async () => {
    const access = new AccessWorld({ '*': { subscribe: 'anyone' } });
    const sessions = await Promise.all(
      [1, 2].map(async (n) => {
        const topics = Array.from({ length: 120 }, (_, i) => `t${n}.${i}`);
        return await attach(access, undefined, { lifeMs: 600_000, hello: { topics } });
      }),
    );
    access.answers = () => ({ is: 'answer', body: { allow: true } });
    access.edge.replace(rulesOf({ '*': { subscribe: 'service' } }));
    for (const { session } of sessions) session.review();
    const sweep = async () => {
      for (const { session } of sessions) session.sweep(access.nowMs);
      for (let n = 0; n < 20; n += 1) await settled();
      return access.asked.length;
    };
    expect(await sweep()).toBe(200);
    access.nowMs += 1_000;
    expect(await sweep()).toBe(240);
    expect(sessions.flatMap(({ connection }) => framesOf(connection))).toEqual([]);
  });

  it('does not count any more where the rules allow it meanwhile', async () => {
    const access = new AccessWorld({ room: { subscribe: 'service' } });
    let refuse = () => {};
    access.answers = () =>
      new Promise((resolve) => {
        refuse = () => resolve({ is: 'answer', body: { allow: false } });
      });
    const { connection, session } = await attach(access, undefined);
    connection.receive({ t: 'subscribe', id: '1', topic: 'room.1' });
    access.edge.replace(rulesOf({ room: { subscribe: 'anyone' } }));
    session.review();
    refuse();
    await settled();
    expect(framesOf(connection)).toEqual([{ t: 'ok', re: '1' }]);
  });

  it('is not enough where meanwhile the rules forbid it or the connection has closed', async () => {
    const access = new AccessWorld({ room: { publish: 'service', request: 'service' } });
    const answers: (() => void)[] = [];
    access.answers = () =>
      new Promise((resolve) => answers.push(() => resolve({ is: 'answer', body: { allow: true } })));
    const { connection, world, session } = await attach(access, undefined);
    connection.receive({ t: 'publish', id: '1', topic: 'room.1' });
    access.edge.replace(rulesOf({ room: { publish: 'nobody', request: 'service' } }));
    session.review();
    connection.receive({ t: 'request', id: '2', method: 'room.2' });
    answers[0]?.();
    await settled();
    expect(framesOf(connection)).toMatchObject([{ re: '1', code: 'forbidden' }]);
    session.end('disconnected');
    answers[1]?.();
    await settled();
    expect(world.inbound.carried).toEqual([]);
  });

  it('an answer that comes after the topic was left joins nothing', async () => {
    const access = new AccessWorld({ room: { subscribe: 'service' } });
    let answer: (is: { is: 'answer'; body: object }) => void = () => {};
    access.answers = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const { connection, world } = await attach(access, undefined);
    connection.receive({ t: 'subscribe', id: '1', topic: 'room.1' });
    connection.receive({ t: 'unsubscribe', id: '2', topic: 'room.1' });
    answer({ is: 'answer', body: { allow: true } });
    await settled();
    expect(world.topics.joined).toEqual([]);
    expect(framesOf(connection)).toEqual([
      { t: 'ok', re: '1' },
      { t: 'ok', re: '2' },
    ]);
  });

  it('changes with the rules: what is not allowed any more is taken away', async () => {
    const access = new AccessWorld({ '*': { subscribe: 'anyone' } });
    const { connection, world, session } = await attach(access, undefined, {
      hello: { topics: ['a', 'b.1'] },
    });
    access.edge.replace(rulesOf({ '*': { subscribe: 'anyone' }, b: { subscribe: 'nobody' } }));
    session.review();
    expect(framesOf(connection)).toEqual([{ t: 'unsubscribed', topic: 'b.1', reason: 'revoked' }]);
    expect(world.topics.joined).toEqual(['a']);
    expect([...connection.topics]).toEqual(['a']);
  });
});

describe('the token of a session', () => {
  it('is told of before it expires, and closes the connection when it does', async () => {
    const { connection, world, session } = await attach(new AccessWorld(), undefined, { lifeMs: 20_000 });
    world.nowMs += 14_000;
    session.sweep(world.nowMs);
    expect(framesOf(connection)).toEqual([]);
    world.nowMs += 1_000;
    session.sweep(world.nowMs);
    session.sweep(world.nowMs);
    expect(framesOf(connection)).toEqual([{ t: 'expiring', inMs: 5_000 }]);
    world.nowMs += 5_000;
    session.sweep(world.nowMs);
    expect(connection.closedWith).toMatchObject({ code: 4011, reason: 'token-expired' });
  });

  it('also ends connections that have said nothing, and bare ones', () => {
    const access = new AccessWorld();
    const world = new SessionWorld({}, access);
    for (const isBare of [false, true]) {
      const { hold } = access.pass(undefined, 1_000);
      const { connection, session } = world.open({ pass: hold }, isBare);
      session.sweep(world.nowMs + 1_000);
      expect(connection.closedWith?.code).toBe(4011);
    }
  });

  it('is renewed by a refresh, which may grant less', async () => {
    const access = new AccessWorld(jwt);
    const topics = ['a', 'b'];
    const { connection, world, session, hold } = await attach(
      access,
      { subscribe: ['a', 'b'] },
      { lifeMs: 20_000, hello: { topics } },
    );
    const next = access.pass({ subscribe: ['a'] }, 50_000);
    access.answers = () => ({ is: 'answer', body: { ok: true, pass: next.pass } });
    connection.receive({ t: 'refresh', id: 'r', token: 'a token' });
    await settled();
    expect(access.asked).toEqual([
      { key: '$refresh', body: { token: 'a token', uid: 'alice', sid: 's', rev: hold.rev } },
    ]);
    expect(framesOf(connection)).toEqual([
      { t: 'unsubscribed', topic: 'b', reason: 'revoked' },
      { t: 'ok', re: 'r', data: { pass: next.pass } },
    ]);
    session.sweep(world.nowMs + 30_000);
    expect(connection.isOpen).toBe(true);
    expect(session.access.hold).toEqual(next.hold);
  });

  it('stays as it is where a refresh is refused, or its pass is forged, another user’s or not newer', async () => {
    const access = new AccessWorld();
    const { connection, session, hold } = await attach(access, undefined);
    const foreign = access.passes.issue({ uid: 'mallory', exp: access.nowMs + 99_000, rev: 99 }).pass;
    const forged = new AccessWorld().pass(undefined, 99_000).pass.replace(/..$/, 'zz');
    const old = access.passes.issue({ uid: 'alice', exp: access.nowMs + 99_000, rev: hold.rev - 1 }).pass;
    const answers = [
      { ok: false, code: 'bad-credentials', message: 'no' },
      { ok: false, code: 'keys-unavailable', message: 'later' },
      ...[foreign, forged, old].map((pass) => ({ ok: true, pass })),
      'nonsense',
    ];
    for (const body of answers) {
      access.answers = () => ({ is: 'answer', body });
      connection.receive({ t: 'refresh', id: 'r', token: 't' });
      await settled();
    }
    access.answers = () => ({ is: 'unrouted' });
    connection.receive({ t: 'refresh', id: 'r', token: 't' });
    await settled();
    expect(framesOf(connection).map(({ code }) => code)).toEqual([
      'forbidden',
      ...Array.from({ length: 5 }, () => 'request-timeout'),
      'broker-unavailable',
    ]);
    expect(session.access.hold).toEqual(hold);
  });

  it('stays as it is for a refusal with a long message, which is cut', async () => {
    const access = new AccessWorld();
    const { connection } = await attach(access, undefined);
    const body = { ok: false, code: 'bad-credentials', message: 'x'.repeat(5_000) };
    access.answers = () => ({ is: 'answer', body });
    connection.receive({ t: 'refresh', id: 'r', token: 't' });
    await settled();
    expect(framesOf(connection)).toMatchObject([{ code: 'forbidden', message: 'x'.repeat(1_024) }]);
  });

  it('is refreshed one at a time', async () => {
    const access = new AccessWorld();
    access.answers = () => new Promise(() => {});
    const { connection } = await attach(access, undefined);
    connection.receive({ t: 'refresh', id: '1', token: 't' });
    connection.receive({ t: 'refresh', id: '2', token: 't' });
    expect(framesOf(connection)).toMatchObject([{ re: '2', code: 'rate-limited' }]);
    expect(access.asked).toHaveLength(1);
  });
});

describe('a session that was held elsewhere', () => {
  it('keeps what the newer pass grants: an older one cannot come back, and its topics are taken away', async () => {
    const access = new AccessWorld(jwt);
    const { connection, session } = await attach(access, { subscribe: ['a'] }, { hello: { topics: ['a'] } });
    const newer = access.pass({ subscribe: ['b'] });
    session.access.wasHeld(newer.hold);
    expect(framesOf(connection)).toEqual([{ t: 'unsubscribed', topic: 'a', reason: 'revoked' }]);
    expect(session.access.hold).toEqual(newer.hold);
    connection.receive({ t: 'subscribe', id: '1', topic: 'b' });
    expect(framesOf(connection)[1]).toMatchObject({ re: '1', code: 'forbidden' });
  });

  it('goes on with the newer pass itself where the other edge has got it by a refresh', async () => {
    const access = new AccessWorld(jwt);
    const hello = { topics: ['a'] };
    const { connection, session } = await attach(access, { subscribe: ['a'] }, { hello });
    const newer = access.pass({ subscribe: ['a', 'b'] });
    session.access.wasHeld(newer.hold, newer.pass);
    connection.receive({ t: 'subscribe', id: '1', topic: 'b' });
    await settled();
    expect(framesOf(connection)).toEqual([{ t: 'ok', re: '1' }]);
  });

  it('loses nothing to an older pass, nor to an edge that knows none', async () => {
    const access = new AccessWorld(jwt);
    const older = access.pass({ subscribe: [] });
    const { connection, session, hold } = await attach(
      access,
      { subscribe: ['a'] },
      { hello: { topics: ['a'] } },
    );
    session.access.wasHeld(older.hold, older.pass);
    session.access.wasHeld(undefined);
    expect(framesOf(connection)).toEqual([]);
    expect(session.access.hold).toEqual(hold);
  });
});
