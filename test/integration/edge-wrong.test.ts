import { freePort } from '@evenkeel/local';
import { RawClient, refusal } from '@evenkeel/testkit';
import type { TicketClaims } from '@evenkeel/ticket';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** What clients behind one address dial; which edge they come to is the front's business, here the test's. */
const sharedUrl = 'ws://mesh.test/ws';

interface Behind {
  readonly edge: EdgeUnderTest;
  /** Where the front finds it. */
  readonly address: string;
  readonly boot: string;
}

let mesh: EdgeMesh;
let a: Behind;
let b: Behind;
let c: Behind;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b, c] = await Promise.all([behind('a'), behind('b'), behind('c')]);
});
afterAll(() => mesh.close());

async function behind(node: string, env: Record<string, string> = {}): Promise<Behind> {
  const port = await freePort();
  const edge = await mesh.edge(node, {
    PORT: String(port),
    PUBLIC_URL: sharedUrl,
    REACHABILITY_URL: 'off',
    ...env,
  });
  const { boot } = await edge.stats();
  return { edge, address: `ws://127.0.0.1:${port}/ws`, boot };
}

/** A ticket of the newest form, as gateways issue it. */
const ticketFor = (session: SessionUnderTest, { edge, boot }: Behind, claims: Partial<TicketClaims> = {}) =>
  session.ticket(edge, { boot, ...claims });

const answer = async ({ address }: Behind, ticket: string) => {
  const { status, body } = await refusal(address, `?ticket=${encodeURIComponent(ticket)}`);
  return { status, code: body.error.code };
};
const used = { status: 401, code: 'ticket-used' };

async function welcomed(at: Behind, ticket: string, hello: object = {}): Promise<RawClient> {
  const client = await RawClient.open(at.address, ticket);
  client.send({ t: 'hello', ...hello });
  await client.frame('welcome');
  return client;
}

const state = (at: Behind) => async () =>
  ((await (await fetch(`${at.edge.member.opsUrl}/status`)).json()) as { state: string }).state;

describe('a ticket that a front has brought to another edge than it names', () => {
  it('is honoured there when both have one address, and is used up for both', async () => {
    const session = new SessionUnderTest('honoured');
    const ticket = ticketFor(session, a);
    const client = await welcomed(b, ticket);
    expect(client.frames[0]).toMatchObject({ t: 'welcome', node: 'b', session: session.sid });
    await mesh.numbers(session, 1, 3);
    await client.eventCount(3);
    expect(await answer(a, ticket)).toEqual(used);
    expect(await answer(b, ticket)).toEqual(used);
    expect(await answer(c, ticket)).toEqual(used);
    await client.close();
    expect(await answer(c, ticket)).toEqual(used);
  });

  it('that was used where it belongs is used everywhere', async () => {
    const ticket = ticketFor(new SessionUnderTest('used'), a);
    await welcomed(a, ticket);
    expect(await answer(b, ticket)).toEqual(used);
  });

  it('admits one of several that show it everywhere at the same time', async () => {
    for (const _ of range(1, 10)) {
      const ticket = ticketFor(new SessionUnderTest('racer'), a);
      const shown = [a, b, c, b, a].map(({ address }) => RawClient.open(address, ticket));
      const opened = (await Promise.allSettled(shown)).filter(({ status }) => status === 'fulfilled');
      expect(opened).toHaveLength(1);
    }
  });

  it('takes a session over from the edge that holds it: every event once, in order', async () => {
    const session = new SessionUnderTest('walker');
    const first = await welcomed(c, ticketFor(session, c));
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    await mesh.command('c', {
      command: 'reconnect',
      move: 'walk',
      to: { node: 'a', url: sharedUrl, boot: a.boot },
      sessions: [session.key],
    });
    const { ticket } = await first.frame('move');
    // Neither the edge that it leaves nor the one that it is to go to.
    const second = await welcomed(b, String(ticket), { resume: true });
    await first.frame('moved');
    await mesh.numbers(session, 6, 10);
    await second.eventCount(5);
    expect([first.data, second.data]).toEqual([range(1, 5), range(6, 10)]);
    expect(second.frames[0]).toMatchObject({ t: 'welcome', node: 'b', resumed: true });
    expect(second.events.filter(({ redelivered }) => redelivered)).toEqual([]);
  });

  it('admits a bare client too, which gets its events', async () => {
    const session = new SessionUnderTest('bare');
    const client = await RawClient.open(b.address, ticketFor(session, a), { protocol: undefined });
    await mesh.settled(session, { consumers: 1 });
    await mesh.numbers(session, 1, 2);
    await client.until('two messages', () => client.messages.length === 2);
    expect(client.messages).toEqual(['1', '2']);
  });

  it('is refused when it is forged, expired, or for an earlier process', async () => {
    const session = new SessionUnderTest('refused');
    const ticket = ticketFor(session, a);
    expect(await answer(b, `c${ticket.slice(1)}`)).toEqual({ status: 401, code: 'ticket-forged' });
    const late = ticketFor(session, a, { expiresAt: Date.now() - 1 });
    expect(await answer(b, late)).toEqual({ status: 401, code: 'ticket-expired' });
    const stale = ticketFor(session, a, { boot: 'before' });
    expect(await answer(b, stale)).toEqual({ status: 401, code: 'ticket-stale' });
  });

  it('is answered with 4010 and the URL where it is still good when the two edges have their own', async () => {
    const own = await behind('own', { PUBLIC_URL: 'ws://127.0.0.1:{port}/ws' });
    const ticket = ticketFor(new SessionUnderTest('lost'), own);
    for (const options of [{}, { protocol: undefined }]) {
      const turnedAway = await RawClient.open(a.address, ticket, options);
      expect(await turnedAway.closed).toEqual({ code: 4010, reason: own.address });
    }
    await welcomed(own, ticket);
    expect(await answer(a, ticket)).toEqual(used);
  });

  it('is answered with 4010 wrong-edge when its edge is not there or does not answer, and in the older form', async () => {
    const session = new SessionUnderTest('nobody');
    const frozen = await behind('frozen');
    frozen.edge.member.pause();
    for (const ticket of [
      session.ticket(a.edge, { node: 'gone', boot: 'b' }),
      ticketFor(session, frozen),
      session.ticket(a.edge),
    ]) {
      const turnedAway = await RawClient.open(b.address, ticket);
      expect(await turnedAway.closed).toEqual({ code: 4010, reason: 'wrong-edge' });
    }
  });

  it('is honoured by a cordoned edge, which a front cannot know', async () => {
    const cordoned = await behind('cordoned');
    await mesh.command('cordoned', { command: 'cordon' });
    await vi.waitUntil(async () => (await state(cordoned)()) === 'cordoned', { timeout: 10_000 });
    await welcomed(cordoned, ticketFor(new SessionUnderTest('stranded'), a));
  });

  it('is honoured while its edge drains; a draining edge itself sends everybody away', async () => {
    const leaving = await behind('leaving', { DRAIN_PATIENCE_MS: '60000' });
    const stays = await welcomed(leaving, ticketFor(new SessionUnderTest('stays'), leaving));
    const stopped = leaving.edge.member.stop('SIGTERM', 20_000);
    await vi.waitUntil(async () => (await state(leaving)()) === 'draining', { timeout: 10_000 });
    await welcomed(a, ticketFor(new SessionUnderTest('elsewhere'), leaving));
    const late = ticketFor(new SessionUnderTest('late'), a);
    expect(await answer(leaving, late)).toEqual({ status: 503, code: 'unavailable' });
    await welcomed(a, late);
    await stays.close();
    await stopped;
  });
});

describe('a move that the front brings back to where it began', () => {
  it('is answered with 4010 and where it was to go; the first socket goes on', async () => {
    const session = new SessionUnderTest('pinned');
    const first = await welcomed(a, ticketFor(session, a));
    await mesh.command('a', {
      command: 'reconnect',
      move: 'back',
      to: { node: 'b', url: sharedUrl, boot: b.boot },
      sessions: [session.key],
    });
    const { ticket } = await first.frame('move');
    const second = await RawClient.open(a.address, String(ticket));
    expect(await second.closed).toEqual({ code: 4010, reason: sharedUrl });
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    expect(first.data).toEqual([1, 2, 3]);
    expect(first.of('moved')).toEqual([]);
  });
});
