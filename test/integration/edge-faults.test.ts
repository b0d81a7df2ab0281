import { randomUUID } from 'node:crypto';
import type { EdgeCommand } from '@evenkeel/protocol';
import { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** Every party of a hand-over that can die, fall silent or come late. */

const takeoverTimeoutMs = 3_000;

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = {
    SETTLE_TIMEOUT_MS: '300',
    TAKEOVER_RETRY_MS: '200',
    TAKEOVER_TIMEOUT_MS: String(takeoverTimeoutMs),
  };
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
});
afterAll(() => mesh.close());

function takeover(
  session: SessionUnderTest,
  from: string,
  epoch: number,
  mode: 'move' | 'resume' = 'move',
): Extract<EdgeCommand, { command: 'takeover' }> {
  const { uid, sid } = session;
  return { command: 'takeover', takeover: randomUUID(), uid, sid, from, boot: from, epoch, mode };
}

describe('the edge that holds the session', () => {
  it('is asked again and again while it is silent, always with the same question, and answered for in the end', async () => {
    const session = new SessionUnderTest('silent-source');
    const puppet = await mesh.puppet('silent');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    const client = await session.open(b, { from: 'silent', move: 'm' });
    client.send({ t: 'hello', resume: true });
    await client.until('three questions', () => puppet.commands.length >= 3);
    const ids = puppet.commands.map((c) => (c.command === 'takeover' ? c.takeover : ''));
    expect(new Set(ids).size).toBe(1);
    expect(client.frames).toEqual([]);
    await puppet.answer(await puppet.command('takeover'), 'released', 0);
    await client.frame('welcome');
    await client.close();
  });

  it('that stays silent keeps the session: the new socket is closed with 4009', async () => {
    const session = new SessionUnderTest('stubborn');
    const puppet = await mesh.puppet('stubborn');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 3);
    await puppet.hold(session);
    const client = await session.open(b, { from: 'stubborn', move: 'm' });
    client.send({ t: 'hello', resume: true });
    expect(await client.closed).toEqual({ code: 4009, reason: 'takeover-failed' });
    expect(client.frames).toEqual([]);
    expect(await mesh.counts(session)).toEqual({ messages: 0, consumers: 1 });
    expect(puppet.held).toEqual(['1', '2', '3']);
    await puppet.die();
  });

  it('that is dead is not waited for', async () => {
    const session = new SessionUnderTest('dead-source');
    const puppet = await mesh.puppet('mortal');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 5);
    await puppet.hold(session, 3);
    const client = await session.open(b, { from: 'mortal', move: 'm' });
    client.send({ t: 'hello', resume: true });
    await puppet.command('takeover');
    await puppet.die();
    await client.eventCount(5);
    expect(client.data).toEqual(range(1, 5));
    // Nobody said what had been written, so the broker's mark counts.
    expect(client.events.map((e) => e.redelivered === true)).toEqual([true, true, true, false, false]);
    await client.close();
  });

  it('marks as repeats only what it says it had written', async () => {
    const session = new SessionUnderTest('suspects');
    const puppet = await mesh.puppet('honest');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 6);
    await puppet.hold(session, 4);
    const client = await session.open(b, { from: 'honest', move: 'm' });
    client.send({ t: 'hello', resume: true });
    const question = await puppet.command('takeover');
    await puppet.letGo();
    await puppet.answer(question, 'released', 2);
    await client.eventCount(6);
    expect(client.data).toEqual(range(1, 6));
    expect(client.events.map((e) => e.redelivered === true)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    await client.close();
  });

  it('that refuses has a newer socket: 4007', async () => {
    const session = new SessionUnderTest('refused');
    const puppet = await mesh.puppet('refuses');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    const client = await session.open(b, { from: 'refuses' });
    client.send({ t: 'hello', resume: true });
    await puppet.answer(await puppet.command('takeover'), 'refused');
    expect(await client.closed).toEqual({ code: 4007, reason: 'stale-ticket' });
  });

  it('is one of several that the ticket names: what does not have it does not hold it up', async () => {
    const session = new SessionUnderTest('several');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    const puppet = await mesh.puppet('has-not');
    const client = await session.open(b, { from: 'gone,has-not,a' });
    client.send({ t: 'hello', resume: true });
    await puppet.answer(await puppet.command('takeover'), 'unknown');
    await client.eventCount(3);
    expect(client.data).toEqual(range(1, 3));
    expect(await first.closed).toEqual({ code: 4501, reason: 'superseded' });
    await client.close();
  });

  it('need not be known: the session is found where it is', async () => {
    const session = new SessionUnderTest('unknown-owner');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const client = await session.attach(b, { resume: true });
    await client.eventCount(5);
    expect(client.data).toEqual(range(1, 5));
    expect(client.events.every((e) => e.redelivered)).toBe(true);
    expect(await first.closed).toEqual({ code: 4501, reason: 'superseded' });
    await client.close();
  });
});

describe('fencing', () => {
  it('a late released wakes nobody: only the answer to the open question does', async () => {
    const session = new SessionUnderTest('late-released');
    const puppet = await mesh.puppet('late');
    await (await session.attach(a)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 4);
    await puppet.hold(session);
    const gaveUp = await session.open(b, { from: 'late' });
    gaveUp.send({ t: 'hello', resume: true });
    const old = await puppet.command('takeover');
    gaveUp.terminate();
    const client = await session.open(b, { from: 'late' });
    client.send({ t: 'hello', resume: true });
    const now = await puppet.command('takeover', (c) => c.takeover !== old.takeover);
    expect(now.epoch).toBeGreaterThan(old.epoch);
    await puppet.answer(old, 'released', 0);
    // b has handled it once it asks again after it.
    const asked = puppet.commands.length;
    await client.until('asked again', () => puppet.commands.length > asked + 1);
    expect(client.frames).toEqual([]);
    expect(await mesh.counts(session)).toMatchObject({ consumers: 1 });
    await puppet.letGo();
    await puppet.answer(now, 'released', 4);
    await client.eventCount(4);
    expect(client.data).toEqual(range(1, 4));
    await client.close();
  });

  it('of two takeovers the newer ticket wins; the older is refused, before as after', async () => {
    const session = new SessionUnderTest('two-takeovers');
    const [x, y] = [await mesh.puppet('x'), await mesh.puppet('y')];
    const client = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 3);
    await client.eventCount(3);
    const older = takeover(session, 'x', session.epoch + 1);
    const newer = takeover(session, 'y', session.epoch + 2);
    const stale = takeover(session, 'x', session.epoch - 1);
    await mesh.command('a', stale);
    expect(await x.command('released', (c) => c.takeover === stale.takeover)).toMatchObject({
      outcome: 'refused',
    });
    await mesh.command('a', older);
    await client.frame('moved');
    await mesh.command('a', newer);
    expect(await x.command('released', (c) => c.takeover === older.takeover)).toMatchObject({
      outcome: 'refused',
    });
    expect(await y.command('released', (c) => c.takeover === newer.takeover)).toMatchObject({
      outcome: 'released',
      suspect: 3,
    });
    // Without the seal: whoever does not say that it takes replies would take it for an event.
    await mesh.settled(session, { messages: 3, consumers: 0 });
    await client.close();
  });

  it('a takeover repeated gets the same answer again and lets go once', async () => {
    const session = new SessionUnderTest('repeated');
    const puppet = await mesh.puppet('repeats');
    const client = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 2);
    await client.eventCount(2);
    const question = takeover(session, 'repeats', session.epoch + 1);
    for (const _ of range(1, 3)) await mesh.command('a', question);
    const answer = await puppet.command('released');
    // Somebody else has it by now.
    const next = await session.attach(b, { resume: true });
    await next.eventCount(2);
    await mesh.command('a', question);
    await client.until('answered again', () => puppet.commands.length === 2);
    expect(puppet.commands).toEqual([answer, answer]);
    expect(client.of('moved')).toHaveLength(1);
    await mesh.event(session, 3);
    await next.eventCount(3);
    await client.close();
    await next.close();
  });

  it('two live sockets on one edge: the newer wins, in order; an older ticket that comes late is told so', async () => {
    const session = new SessionUnderTest('two-sockets');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    first.ack(2);
    const late = session.ticket(a);
    const second = await session.attach(a, { resume: true });
    expect(await first.closed).toEqual({ code: 4501, reason: 'superseded' });
    await second.eventCount(3);
    expect(second.data).toEqual([3, 4, 5]);
    expect(second.events.every((e) => e.redelivered)).toBe(true);
    const older = await RawClient.open(a.url, late);
    older.send({ t: 'hello', resume: true });
    expect(await older.closed).toEqual({ code: 4007, reason: 'stale-ticket' });
    await mesh.event(session, 6);
    await second.eventCount(4);
    await second.close();
  });

  it('an older ticket at another edge is refused by the one that has the newer', async () => {
    const session = new SessionUnderTest('older-elsewhere');
    await (await session.attach(a)).close();
    const older = session.ticket(b, { from: 'a' });
    const client = await session.attach(a, { resume: true });
    const stale = await RawClient.open(b.url, older);
    stale.send({ t: 'hello', resume: true });
    expect(await stale.closed).toEqual({ code: 4007, reason: 'stale-ticket' });
    await mesh.event(session, 1);
    await client.eventCount(1);
    await client.close();
  });

  it('a resume that races a move: one socket ends up with the session, and nothing is missing', async () => {
    for (const round of range(1, 8)) {
      const session = new SessionUnderTest(`race-${round}`);
      const first = await session.attach(a, {}, {}, { acks: false });
      await mesh.numbers(session, 1, 20);
      await first.eventCount(20);
      const { ticket } = await mesh.askToMove(session, first, a, b);
      const mover = await RawClient.open(b.url, ticket, { acks: false });
      // As the gateway does it: newer than the ticket of the move.
      const epoch = Date.now() + 1_000 + round;
      const resumer = await session.open(a, { from: 'b,a', epoch }, { acks: false });
      const hellos = [mover, resumer];
      if (round % 2 === 0) hellos.reverse();
      for (const client of hellos) client.send({ t: 'hello', resume: true });
      await resumer.eventCount(20);
      await mesh.numbers(session, 21, 25);
      await resumer.eventCount(25);
      expect(resumer.data).toEqual(range(1, 25));
      expect([4007, 4501, 4009]).toContain((await mover.closed).code);
      first.terminate();
      await resumer.close();
    }
  });
});

describe('the client', () => {
  it('that dies between moved and welcome finds everything unacknowledged, in order, wherever it comes back', async () => {
    const session = new SessionUnderTest('dies');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 10);
    await first.eventCount(10);
    const second = await mesh.follow(session, first, a, b);
    await first.frame('moved');
    first.ack(4);
    await first.until('sent', () => first.isOpen);
    first.terminate();
    second.terminate();
    await mesh.numbers(session, 11, 12);
    const third = await session.attach(a, { resume: true }, { from: 'b,a', epoch: Date.now() + 60_000 });
    await third.until('the newest', () => third.data.at(-1) === 12);
    const begin = Number(third.data[0]);
    // The acknowledgement may have been under way when it died.
    expect([1, 5]).toContain(begin);
    expect(third.data).toEqual(range(begin, 12));
    await third.close();
  });

  it('that dies while its session is attached gives it back; nothing holds it afterwards', async () => {
    const session = new SessionUnderTest('dies-early');
    await (await session.attach(a)).close();
    const puppet = await mesh.puppet('slow');
    const client = await session.open(b, { from: 'slow' });
    client.send({ t: 'hello', resume: true, topics: ['t'] });
    const question = await puppet.command('takeover');
    client.terminate();
    await puppet.answer(question, 'released', 0);
    const next = await session.attach(a, { resume: true }, { from: 'b' });
    await mesh.settled(session, { consumers: 1 });
    await mesh.event(session, 1);
    await next.eventCount(1);
    await next.close();
    // The seal alone.
    await mesh.settled(session, { consumers: 0, messages: 1 });
  });

  it('that leaves the second socket before welcome stays with the first', async () => {
    const session = new SessionUnderTest('changes-its-mind');
    const first = await session.attach(a);
    const { ticket } = await mesh.askToMove(session, first, a, b);
    const second = await RawClient.open(b.url, ticket);
    second.terminate();
    await mesh.event(session, 1);
    await first.eventCount(1);
    await first.pinged();
    expect(first.of('moved')).toEqual([]);
    await first.close();
  });
});

describe('an edge that stood still', () => {
  it('leaves out what its sender has given up meanwhile, and does what comes now', async () => {
    const still = await mesh.edge('still');
    const session = new SessionUnderTest('kept');
    const client = await session.attach(still);
    const state = async () =>
      ((await (await fetch(`${still.member.opsUrl}/status`)).json()) as { state: string }).state;
    still.member.pause();
    const waitsMs = 200;
    const sentAtMs = performance.now();
    // It is pushed to the edge at once, so that it does not expire at the broker.
    for (const command of [
      { command: 'disconnect', uid: session.uid, reply: 'r', ask: 'q' },
      { command: 'cordon' },
    ] as const)
      expect(await mesh.command('still', command, { expiration: String(waitsMs) })).toBe('routed');
    await vi.waitUntil(() => performance.now() > sentAtMs + 2 * waitsMs, { timeout: 10_000 });
    still.member.resume();
    await mesh.event(session, 'after');
    await client.frame('event', ({ data }) => data === 'after');
    expect(await state()).toBe('active');
    await mesh.command('still', { command: 'cordon' });
    await vi.waitUntil(async () => (await state()) === 'cordoned', { timeout: 10_000 });
    await client.close();
  });
});
